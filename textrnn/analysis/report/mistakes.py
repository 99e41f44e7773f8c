"""The figures of the answers to labelled texts, and the worst mistakes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from textrnn.analysis.attribution.explain import Attribution, Explainer
from textrnn.analysis.comparison import macro_f1_interval
from textrnn.analysis.report.answered_texts import AnsweredTexts
from textrnn.analysis.statistics import Interval, LengthAccuracy, accuracy_by_length, wilson
from textrnn.evaluation.abstention import CoveragePoint, coverage_curve
from textrnn.evaluation.class_figures import class_figures
from textrnn.evaluation.confusion import Confusion
from textrnn.inference.calibration import Reliability, reliability

__all__ = ["MISTAKES", "Mistake", "Mistakes", "Scored", "find_mistakes", "score"]

MISTAKES = 6
LONGEST_MISTAKE = 800
"""The largest number of tokens of a text whose words are explained."""


@dataclass(frozen=True)
class Scored:
    """The figures of the answers to labelled texts.

    Attributes:
        accuracy: The share of the texts that are answered correctly; in a multi-label run, the
            share of the texts whose labels are all correct.
        macro_f1: The mean F1 of the labels.
        log_loss: In nats per text; in a multi-label run, per decision.
        reliability: The accuracy by confidence.
        uncalibrated: The reliability of the same model at the temperature 1; None if the run has
            no temperature.
        coverage: The accuracy of the most certain answers, for each share of them.
        confusion: Which labels are mistaken for which; None for a multi-label run.
        per_label: Precision, recall, F1 and number of texts of each label, `[C, 4]`.
        by_length: The accuracy in each bucket of lengths.
    """

    accuracy: Interval
    macro_f1: Interval
    log_loss: float
    reliability: Reliability
    uncalibrated: Reliability | None
    coverage: tuple[CoveragePoint, ...]
    confusion: Confusion | None
    per_label: np.ndarray
    by_length: tuple[LengthAccuracy, ...]

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, ready for JSON."""
        return {
            "accuracy": dataclasses.asdict(self.accuracy),
            "macro_f1": dataclasses.asdict(self.macro_f1),
            "log_loss": self.log_loss,
            "calibration_error": self.reliability.error,
            "uncalibrated_error": self.uncalibrated.error if self.uncalibrated else None,
            "coverage_curve": [point.to_dict() for point in self.coverage],
            **({} if self.confusion is None else self.confusion.to_dict()),
            "by_length": [dataclasses.asdict(bucket) for bucket in self.by_length],
        }


@dataclass(frozen=True)
class Mistake:
    """A text that was answered wrongly.

    Attributes:
        true: The labels of the text.
        predicted: The predicted labels.
        loss: The negative log-probability of the true labels, in nats.
        attribution: What the words contribute to `attribution.label`. This is the predicted label,
            or in a multi-label run the label whose probability has the largest error.
    """

    true: tuple[str, ...]
    predicted: tuple[str, ...]
    loss: float
    attribution: Attribution

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, ready for JSON."""
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
        count: The number of texts that were answered wrongly.
        worst: The mistakes with the largest loss, without texts that are too long to explain.
    """

    count: int
    worst: tuple[Mistake, ...]

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, ready for JSON."""
        return {"count": self.count, "worst": [mistake.to_dict() for mistake in self.worst]}


def score(answered: AnsweredTexts) -> Scored:
    """Returns the figures of the answers to labelled texts."""
    classifier, label_space = answered.classifier, answered.label_space
    probabilities, targets = answered.probabilities, answered.targets
    predicted, right = answered.predicted, answered.right
    per_label, _ = class_figures(targets > 0, predicted, classes=len(classifier.labels))
    confusion = None
    if not label_space.multi_label:
        true_places, predicted_places = targets.argmax(axis=1), predicted.argmax(axis=1)
        confusion = Confusion.of(true_places, predicted_places, labels=classifier.labels)
    reliability_before = None
    if classifier.temperature != 1.0:
        before = label_space.tempered(probabilities, 1.0 / classifier.temperature)
        reliability_before = reliability(before, targets, label_space=label_space)
    return Scored(
        accuracy=wilson(int(right.sum()), len(right)),
        macro_f1=macro_f1_interval(probabilities, targets, label_space=label_space),
        log_loss=float(answered.losses.mean()),
        reliability=reliability(probabilities, targets, label_space=label_space),
        uncalibrated=reliability_before,
        coverage=coverage_curve(label_space.answer_probabilities(probabilities), right),
        confusion=confusion,
        per_label=np.stack(per_label, axis=1),
        by_length=accuracy_by_length(right, np.array([len(text) for text in answered.ids])),
    )


def find_mistakes(
    answered: AnsweredTexts, *, on_mistake: Callable[[int], None] | None = None
) -> Mistakes:
    """Returns the wrong answers with the largest loss, with the contributions of the words.

    Args:
        answered: The texts and the answers.
        on_mistake: Receives 1 after each mistake that is explained.
    """
    classifier, probabilities = answered.classifier, answered.probabilities
    loss, predicted = answered.losses, answered.predicted
    short = np.array([0 < len(text) <= LONGEST_MISTAKE for text in answered.ids])
    wrong = ~answered.right
    explainer = Explainer(classifier)
    worst = []
    for row in np.flatnonzero(wrong & short)[np.argsort(-loss[wrong & short])][:MISTAKES]:
        explained = int(np.argmax(np.abs(probabilities[row] - answered.targets[row])))
        if not answered.label_space.multi_label:
            explained = int(predicted[row].argmax())
        label = classifier.labels[explained]
        worst.append(
            Mistake(
                true=answered.split.labels[row],
                predicted=tuple(classifier.labels[i] for i in np.flatnonzero(predicted[row])),
                loss=float(loss[row]),
                attribution=explainer.explain(answered.split.texts[row], label=label),
            )
        )
        if on_mistake is not None:
            on_mistake(1)
    return Mistakes(int(wrong.sum()), tuple(worst))
