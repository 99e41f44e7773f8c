"""The answers to labelled texts: what they are worth, and the worst of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from textrnn.analysis.attribution.explain import Attribution, Explainer
from textrnn.analysis.comparison import (
    Interval,
    LengthAccuracy,
    accuracy_by_length,
    losses,
    macro_f1_interval,
    predicted_labels,
    right_answers,
    wilson,
)
from textrnn.data import Split
from textrnn.evaluation.class_figures import class_figures
from textrnn.evaluation.confusion import Confusion
from textrnn.inference.calibration import Reliability, calibrated, reliability
from textrnn.inference.classifier import TrainedClassifier

__all__ = ["MISTAKES", "Mistake", "Mistakes", "Scored", "find_mistakes", "score"]

MISTAKES = 6
LONGEST_MISTAKE = 800
"""Tokens of a text whose words are looked at one by one, at the most."""


@dataclass(frozen=True)
class Scored:
    """What the answers to some labelled texts are worth.

    Attributes:
        accuracy: The share of texts answered rightly (multi-label: with all labels right).
        macro_f1: The mean of the labels' F1.
        log_loss: In nats a text; for multi-label, a decision.
        reliability: How sure, and how often right.
        calibrated: The same at the temperature that the validation texts gave; None without one.
        confusion: Which labels were taken for which; None if multi-label.
        per_label: Precision, recall, F1 and number of texts of each label, `[C, 4]`.
        by_length: The accuracy in each bucket of lengths.
    """

    accuracy: Interval
    macro_f1: Interval
    log_loss: float
    reliability: Reliability
    calibrated: Reliability | None
    confusion: Confusion | None
    per_label: np.ndarray
    by_length: tuple[LengthAccuracy, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "accuracy": dataclasses.asdict(self.accuracy),
            "macro_f1": dataclasses.asdict(self.macro_f1),
            "log_loss": self.log_loss,
            "calibration_error": self.reliability.error,
            "calibrated_error": self.calibrated.error if self.calibrated else None,
            **({} if self.confusion is None else self.confusion.to_dict()),
            "by_length": [dataclasses.asdict(bucket) for bucket in self.by_length],
        }


@dataclass(frozen=True)
class Mistake:
    """A text that was answered wrongly.

    Attributes:
        true: Its labels.
        predicted: The labels that were answered.
        loss: The negative log-probability of its labels, in nats.
        attribution: What its words did for `attribution.label`: the wrong label, or for
            multi-label the one whose decision was wrong by the most.
    """

    true: tuple[str, ...]
    predicted: tuple[str, ...]
    loss: float
    attribution: Attribution

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "true": list(self.true),
            "predicted": list(self.predicted),
            "loss": self.loss,
            "attribution": self.attribution.to_dict(),
        }


@dataclass(frozen=True)
class Mistakes:
    """The worst mistakes.

    Attributes:
        count: How many texts were answered wrongly.
        worst: Those of the largest loss, of texts that are not too long.
    """

    count: int
    worst: tuple[Mistake, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {"count": self.count, "worst": [mistake.to_dict() for mistake in self.worst]}


def score(
    classifier: TrainedClassifier,
    probabilities: np.ndarray,
    carried: np.ndarray,
    lengths: np.ndarray,
) -> Scored:
    """The figures of answers `[N, C]` to texts with labels `[N, C]` and lengths `[N]`."""
    several = classifier.config.task.multi_label
    right = right_answers(probabilities, carried, multi_label=several)
    answered = predicted_labels(probabilities, multi_label=several)
    per_label, _ = class_figures(carried > 0, answered, classes=len(classifier.labels))
    confusion = None
    if not several:
        true, predicted = carried.argmax(axis=1), answered.argmax(axis=1)
        confusion = Confusion.of(true, predicted, labels=classifier.labels)
    temperature = classifier.metrics.get("calibration", {}).get("temperature")
    after = None
    if temperature is not None:
        after = reliability(
            calibrated(probabilities, temperature, multi_label=several),
            carried,
            multi_label=several,
        )
    return Scored(
        accuracy=wilson(int(right.sum()), len(right)),
        macro_f1=macro_f1_interval(probabilities, carried, multi_label=several),
        log_loss=float(losses(probabilities, carried, multi_label=several).mean()),
        reliability=reliability(probabilities, carried, multi_label=several),
        calibrated=after,
        confusion=confusion,
        per_label=np.stack(per_label, axis=1),
        by_length=accuracy_by_length(right, lengths),
    )


def find_mistakes(
    classifier: TrainedClassifier,
    split: Split,
    ids: Sequence[np.ndarray],
    probabilities: np.ndarray,
    carried: np.ndarray,
    done: Callable[[int], None] = lambda count: None,
) -> Mistakes:
    """The wrong answers of the largest loss, and what the words of these texts did for them."""
    several = classifier.config.task.multi_label
    wrong = ~right_answers(probabilities, carried, multi_label=several)
    loss = losses(probabilities, carried, multi_label=several)
    short = np.array([0 < len(text) <= LONGEST_MISTAKE for text in ids])
    answered = predicted_labels(probabilities, multi_label=several)
    explainer = Explainer(classifier)
    worst = []
    for row in np.flatnonzero(wrong & short)[np.argsort(-loss[wrong & short])][:MISTAKES]:
        explained = int(np.argmax(np.abs(probabilities[row] - carried[row])))
        if not several:
            explained = int(np.argmax(probabilities[row]))
        worst.append(
            Mistake(
                true=split.labels[row],
                predicted=tuple(classifier.labels[i] for i in np.flatnonzero(answered[row])),
                loss=float(loss[row]),
                attribution=explainer.explain(split.texts[row], label=classifier.labels[explained]),
            )
        )
        done(1)
    return Mistakes(int(wrong.sum()), tuple(worst))
