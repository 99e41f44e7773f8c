"""What a trained classifier is worth on labelled texts."""

from __future__ import annotations

from typing import Any

import numpy as np

from textrnn.calibration import fit_temperature
from textrnn.data import Split
from textrnn.data.corpus import targets
from textrnn.inference import TrainedClassifier
from textrnn.training.metrics import evaluate
from textrnn.training.progress import Reporter

__all__ = ["measure", "measure_validation"]


def measure(
    classifier: TrainedClassifier, split: Split, *, name: str, reporter: Reporter
) -> dict[str, Any]:
    """All figures of a classifier on labelled texts; see `textrnn.training.metrics.evaluate`."""
    scores = _probabilities(classifier, split, name=name, reporter=reporter)
    multi_label = classifier.config.data.multi_label
    carried = targets(split.labels, classifier.labels)
    return evaluate(scores, carried, labels=classifier.labels, multi_label=multi_label)


def measure_validation(
    classifier: TrainedClassifier, split: Split, reporter: Reporter
) -> dict[str, dict[str, Any]]:
    """The figures of the validation texts, and the temperature that calibrates on them."""
    scores = _probabilities(classifier, split, name="validation", reporter=reporter)
    multi_label = classifier.config.data.multi_label
    carried = targets(split.labels, classifier.labels)
    return {
        "validation": evaluate(scores, carried, labels=classifier.labels, multi_label=multi_label),
        "calibration": {"temperature": fit_temperature(scores, carried, multi_label=multi_label)},
    }


def _probabilities(
    classifier: TrainedClassifier, split: Split, *, name: str, reporter: Reporter
) -> np.ndarray:
    """Of each text and label; says what was cut."""
    read, cut = classifier.read_tokens, classifier.cut_tokens
    with reporter.step(name, total=len(split)) as advance:
        probabilities = classifier.probabilities(split.texts, on_batch=advance)
    if cut < classifier.cut_tokens:
        share = (classifier.cut_tokens - cut) / (classifier.read_tokens - read)
        reporter.message(f"note: --max-length cuts off {share:.1%} of the {name} tokens.")
    return probabilities
