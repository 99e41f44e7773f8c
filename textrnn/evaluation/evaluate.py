"""Measures a run on labelled texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from textrnn.data import Split
from textrnn.evaluation.abstention import CoveragePoint
from textrnn.evaluation.confusion import Confusion
from textrnn.evaluation.labelled_data import LabelledData, SplitName
from textrnn.evaluation.measurement import measure
from textrnn.evaluation.opened_run import OpenedRun
from textrnn.inference.classifier import TrainedClassifier
from textrnn.progress import Reporter

__all__ = ["Evaluation", "evaluate"]


@dataclass(frozen=True)
class Evaluation:
    """The figures of a classifier on labelled texts.

    Attributes:
        texts: The number of texts.
        accuracy: The share of the texts that are answered correctly; in a multi-label run, the
            share of the texts whose labels are all correct.
        macro_f1: The mean F1 of the labels that some text or some answer has.
        micro_f1: The F1 of all decisions together; None for a single-label run.
        log_loss: The mean negative log-probability of the true labels, in nats; in a multi-label
            run, per decision.
        calibration_error: The expected calibration error (ECE).
        per_class: The `precision`, `recall`, `f1` and `support` of each label.
        confusion: Which labels are mistaken for which; None for a multi-label run.
        coverage_curve: The accuracy of the most certain answers, for each share of them.
        abstention: If the run withholds answers: `abstain_below`, the `coverage`, and the
            `accuracy` of the answers; else None. The other figures are those of all answers.
        mean_cost: The mean cost of the answers; None for a run without costs.
        uncalibrated: The `log_loss` and the `calibration_error` of the same model at the
            temperature 1; None if the run has no temperature.
    """

    texts: int
    accuracy: float
    macro_f1: float
    micro_f1: float | None
    log_loss: float
    calibration_error: float
    per_class: Mapping[str, Mapping[str, float]]
    confusion: Confusion | None
    coverage_curve: tuple[CoveragePoint, ...] = ()
    abstention: Mapping[str, float | None] | None = None
    mean_cost: float | None = None
    uncalibrated: Mapping[str, float] | None = None

    @classmethod
    def from_metrics(cls, metrics: Mapping[str, Any]) -> Evaluation:
        """Reads the figures that `to_dict` writes, such as those in a run's `metrics.json`."""
        return cls(
            texts=metrics["texts"],
            accuracy=metrics["accuracy"],
            macro_f1=metrics["macro_f1"],
            micro_f1=metrics.get("micro_f1"),
            log_loss=metrics["log_loss"],
            calibration_error=metrics["calibration_error"],
            per_class=metrics["per_class"],
            confusion=Confusion.from_metrics(metrics),
            coverage_curve=tuple(
                CoveragePoint(**point) for point in metrics.get("coverage_curve", ())
            ),
            abstention=metrics.get("abstention"),
            mean_cost=metrics.get("mean_cost"),
            uncalibrated=metrics.get("uncalibrated"),
        )

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, ready for JSON."""
        return {
            "texts": self.texts,
            "accuracy": self.accuracy,
            "macro_f1": self.macro_f1,
            "log_loss": self.log_loss,
            "calibration_error": self.calibration_error,
            "per_class": {label: dict(figures) for label, figures in self.per_class.items()},
            **({} if self.micro_f1 is None else {"micro_f1": self.micro_f1}),
            **({} if self.confusion is None else self.confusion.to_dict()),
            "coverage_curve": [point.to_dict() for point in self.coverage_curve],
            **({} if self.abstention is None else {"abstention": dict(self.abstention)}),
            **({} if self.mean_cost is None else {"mean_cost": self.mean_cost}),
            **({} if self.uncalibrated is None else {"uncalibrated": dict(self.uncalibrated)}),
        }


def evaluate(
    run: str | Path | TrainedClassifier,
    *,
    texts: Sequence[str] | None = None,
    labels: Sequence[str | Sequence[str]] | None = None,
    split: SplitName = "test",
    abstain_below: float | None = None,
    reporter: Reporter | None = None,
    on_answers: Callable[[TrainedClassifier, Split, np.ndarray], None] | None = None,
    **settings: Any,
) -> Evaluation:
    """Measures a run on labelled texts: those of its own data, of other data, or given ones.

    Example:
        textrnn.evaluate("runs/bbc_news").accuracy
        textrnn.evaluate("runs/bbc_news", split="validation")
        textrnn.evaluate("runs/bbc_news", test_file="more.csv", text_column="body")
        textrnn.evaluate(classifier, texts=["a draw in London"], labels=["sport"])

    Args:
        run: A run folder, or a classifier that was loaded from one.
        texts: Texts to measure on, together with `labels`, in the place of a data set.
        labels: The label of each text, or its labels.
        split: Which part of the data is read: `train`, `validation` or `test`.
        abstain_below: The probability below which an answer is withheld; None: that of the run.
        reporter: Receives the progress and the notices; None: nothing is reported.
        on_answers: Receives the classifier, the N texts with their labels, and the probabilities
            `[N, C]`.
        **settings: Settings of the data and of its labels that replace those of the run, such as
            `test_file`.

    Raises:
        ModelError: The folder is no finished run of a classifier.
        DataError: The data cannot be read, or has a label that the run does not know.
        ConfigError: A setting is unknown or wrong.
    """
    opened = OpenedRun.of(run)
    classifier = opened.classifier.abstaining(abstain_below)
    source = LabelledData(split=split, texts=texts, labels=labels, settings=settings)
    labelled = source.read(opened.record, reporter=reporter)
    return Evaluation.from_metrics(
        measure(classifier, labelled, name=split, reporter=reporter, on_answers=on_answers)
    )
