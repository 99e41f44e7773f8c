"""Measures a trained classifier on labelled texts, within a time budget if there is one."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from textrnn.data import Split
from textrnn.evaluation.metrics import evaluate
from textrnn.evaluation.sampling import blocks
from textrnn.inference.classifier import TrainedClassifier
from textrnn.messages.wording import counted
from textrnn.progress import Reporter, Silent

__all__ = ["answers", "measure", "measure_answers"]


def measure(
    classifier: TrainedClassifier,
    split: Split,
    *,
    name: str,
    reporter: Reporter | None = None,
    until: float | None = None,
    on_answers: Callable[[TrainedClassifier, Split, np.ndarray], None] | None = None,
) -> dict[str, Any]:
    """Returns all figures of a classifier on labelled texts.

    Args:
        classifier: The classifier.
        split: The texts.
        name: The name of the texts in messages.
        reporter: Receives the progress; None: nothing is reported.
        until: The value of `time.monotonic` at which measuring ends, with the texts that were
            measured by then; None: all texts are measured.
        on_answers: Receives the classifier, the N texts that were measured, and the probabilities
            `[N, C]`.

    Returns:
        The figures of `textrnn.evaluation.metrics.evaluate`.
    """
    probabilities, split = answers(
        classifier, split, name=name, reporter=reporter or Silent(), until=until
    )
    if on_answers is not None:
        on_answers(classifier, split, probabilities)
    return measure_answers(classifier, probabilities, split)


def measure_answers(
    classifier: TrainedClassifier, probabilities: np.ndarray, split: Split
) -> dict[str, Any]:
    """Returns all figures of a classifier that has answered labelled texts.

    Args:
        classifier: The classifier.
        probabilities: `[N, C]`, its answers.
        split: The N texts.
    """
    label_space = classifier.label_space
    return evaluate(
        probabilities,
        label_space.targets(split.labels),
        label_space=label_space,
        temperature=classifier.temperature,
    )


def answers(
    classifier: TrainedClassifier,
    split: Split,
    *,
    name: str,
    reporter: Reporter,
    until: float | None = None,
) -> tuple[np.ndarray, Split]:
    """Returns the probabilities `[N, C]` of the texts that the time suffices for, and those texts.

    Args:
        classifier: The classifier.
        split: The texts.
        name: The name of the texts in messages.
        reporter: Receives the progress.
        until: The value of `time.monotonic` at which measuring ends; see `measure`.
    """
    if until is None:
        return _probabilities(classifier, split, name=name, reporter=reporter), split
    seed = classifier.config.runtime.seed
    probabilities: list[np.ndarray] = []
    rows: list[int] = []
    read, cut = classifier.read_tokens, classifier.cut_tokens
    pace = 0.0  # Seconds per text of the last block.
    with reporter.step(name, total=len(split)) as advance:
        for block in blocks(split, seed=seed):
            begin = time.monotonic()
            if rows and begin + pace * len(block) > until:
                break
            texts = [split.texts[row] for row in block]
            probabilities.append(classifier.probabilities(texts, on_batch=advance))
            rows += block
            pace = (time.monotonic() - begin) / len(block)
    _report_cut(classifier, name, reporter, read=read, cut=cut)
    if len(rows) < len(split):
        reporter.message(
            f"note: the time budget ends, so the final figures are of {len(rows):,} of "
            f"{counted(len(split), f'{name} text')}, drawn at random; textrnn evaluate measures "
            "all of them."
        )
    order = np.argsort(rows)
    return np.concatenate(probabilities)[order], split.take(sorted(rows))


def _probabilities(
    classifier: TrainedClassifier, split: Split, *, name: str, reporter: Reporter
) -> np.ndarray:
    """Returns the probabilities `[N, C]`, and reports which share of the tokens was cut off."""
    read, cut = classifier.read_tokens, classifier.cut_tokens
    with reporter.step(name, total=len(split)) as advance:
        probabilities = classifier.probabilities(split.texts, on_batch=advance)
    _report_cut(classifier, name, reporter, read=read, cut=cut)
    return probabilities


def _report_cut(
    classifier: TrainedClassifier, name: str, reporter: Reporter, *, read: int, cut: int
) -> None:
    """Reports which share of the tokens was cut off since `read` and `cut` were counted."""
    if cut < classifier.cut_tokens:
        share = (classifier.cut_tokens - cut) / (classifier.read_tokens - read)
        reporter.message(f"note: `max_length` cuts off {share:.1%} of the {name} tokens.")
