"""What a trained classifier is worth on labelled texts."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from textrnn.data import Split
from textrnn.data.corpus import targets
from textrnn.evaluation.metrics import evaluate
from textrnn.evaluation.sampling import blocks
from textrnn.inference.calibration import fit_temperature
from textrnn.inference.classifier import TrainedClassifier
from textrnn.messages.wording import counted
from textrnn.progress import Reporter

__all__ = ["measure", "measure_validation"]


def measure(
    classifier: TrainedClassifier,
    split: Split,
    *,
    name: str,
    reporter: Reporter,
    until: float | None = None,
) -> dict[str, Any]:
    """All figures of a classifier on labelled texts; see `textrnn.evaluation.metrics.evaluate`.

    Args:
        classifier: The classifier.
        split: The texts.
        name: What to call them.
        reporter: Told of the progress.
        until: The time by `time.monotonic` at which measuring ends, on as many texts as it then
            has come to; None: all.
    """
    scores, split = _answered(classifier, split, name=name, reporter=reporter, until=until)
    multi_label = classifier.config.task.multi_label
    carried = targets(split.labels, classifier.labels)
    return evaluate(scores, carried, labels=classifier.labels, multi_label=multi_label)


def measure_validation(
    classifier: TrainedClassifier, split: Split, reporter: Reporter, *, until: float | None = None
) -> dict[str, dict[str, Any]]:
    """The figures of the validation texts, and the temperature that calibrates on them.

    Args:
        classifier: The classifier.
        split: The validation texts.
        reporter: Told of the progress.
        until: As for `measure`.
    """
    scores, split = _answered(classifier, split, name="validation", reporter=reporter, until=until)
    multi_label = classifier.config.task.multi_label
    carried = targets(split.labels, classifier.labels)
    return {
        "validation": evaluate(scores, carried, labels=classifier.labels, multi_label=multi_label),
        "calibration": {"temperature": fit_temperature(scores, carried, multi_label=multi_label)},
    }


def _answered(
    classifier: TrainedClassifier,
    split: Split,
    *,
    name: str,
    reporter: Reporter,
    until: float | None,
) -> tuple[np.ndarray, Split]:
    """The probabilities of the texts that there is time for, and those texts."""
    if until is None:
        return _probabilities(classifier, split, name=name, reporter=reporter), split
    seed = classifier.config.runtime.seed
    found: list[np.ndarray] = []
    rows: list[int] = []
    read, cut = classifier.read_tokens, classifier.cut_tokens
    pace = 0.0  # Seconds a text, of the last part.
    with reporter.step(name, total=len(split)) as advance:
        for block in blocks(split, seed=seed):
            begin = time.monotonic()
            if rows and begin + pace * len(block) > until:
                break
            texts = [split.texts[row] for row in block]
            found.append(classifier.probabilities(texts, on_batch=advance))
            rows += block
            pace = (time.monotonic() - begin) / len(block)
    _tell_cut(classifier, name, reporter, read=read, cut=cut)
    if len(rows) < len(split):
        reporter.message(
            f"note: the final figures are of {len(rows):,} of "
            f"{counted(len(split), f'{name} text')}, drawn by the seed: the time budget ends. "
            "textrnn evaluate measures on all."
        )
    order = np.argsort(rows)
    return np.concatenate(found)[order], split.take(sorted(rows))


def _probabilities(
    classifier: TrainedClassifier, split: Split, *, name: str, reporter: Reporter
) -> np.ndarray:
    """Of each text and label; says what was cut."""
    read, cut = classifier.read_tokens, classifier.cut_tokens
    with reporter.step(name, total=len(split)) as advance:
        probabilities = classifier.probabilities(split.texts, on_batch=advance)
    _tell_cut(classifier, name, reporter, read=read, cut=cut)
    return probabilities


def _tell_cut(
    classifier: TrainedClassifier, name: str, reporter: Reporter, *, read: int, cut: int
) -> None:
    """Says which share of the tokens was cut off since these were counted."""
    if cut < classifier.cut_tokens:
        share = (classifier.cut_tokens - cut) / (classifier.read_tokens - read)
        reporter.message(f"note: --max-length cuts off {share:.1%} of the {name} tokens.")
