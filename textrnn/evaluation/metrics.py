"""The figures of a classifier's probabilities, measured against the true labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn import metrics as sk

from textrnn.evaluation.abstention import abstention_figures
from textrnn.evaluation.class_figures import class_figures, macro_f1
from textrnn.evaluation.confusion import Confusion
from textrnn.inference.calibration import reliability
from textrnn.models.label_space import LabelSpace

__all__ = ["evaluate", "expected_calibration_error", "log_loss"]


def evaluate(
    probabilities: np.ndarray,
    targets: np.ndarray,
    *,
    label_space: LabelSpace,
    temperature: float = 1.0,
) -> dict[str, Any]:
    """Returns all figures of some predictions, as plain values ready for JSON.

    Args:
        probabilities: `[N, C]`.
        targets: `[N, C]` of 0 and 1; a single-label row holds one 1.
        label_space: The C labels. If it is multi-label, accuracy is the share of texts with all
            labels right, and log loss and calibration are those of the yes-or-no decisions. Its
            rule decides; answers that the rule withholds count as they are.
        temperature: The temperature that calibrated the probabilities.

    Returns:
        `texts`, `accuracy`, `macro_f1` (see `textrnn.evaluation.class_figures.macro_f1`),
        `log_loss` (in nats), `calibration_error`, `per_class` (precision, recall, f1 and support
        of each label), and the values of `abstention_figures`.
        A multi-label result has `micro_f1`, a single-label result the values of
        `textrnn.evaluation.confusion.Confusion.to_dict`. With costs there is `mean_cost`. With a
        temperature there is `uncalibrated`: the log loss and the calibration error of the same
        model at the temperature 1.
    """
    labels = label_space.labels
    true, predicted = targets.astype(int), label_space.decide(probabilities).astype(int)
    mean_f1 = macro_f1(true, predicted)
    if not label_space.multi_label:
        true, predicted = true.argmax(axis=1), predicted.argmax(axis=1)
    figures, micro_f1 = class_figures(true, predicted, classes=len(labels))
    result: dict[str, Any] = {
        "texts": len(targets),
        "accuracy": float(sk.accuracy_score(true, predicted)),
        "macro_f1": mean_f1,
        "log_loss": log_loss(probabilities, targets, label_space=label_space),
        "calibration_error": expected_calibration_error(
            probabilities, targets, label_space=label_space
        ),
        "per_class": {
            label: {
                "precision": float(figures.precision[i]),
                "recall": float(figures.recall[i]),
                "f1": float(figures.f1[i]),
                "support": int(figures.support[i]),
            }
            for i, label in enumerate(labels)
        },
    }
    if label_space.multi_label:
        result["micro_f1"] = micro_f1
    else:
        result |= Confusion.of(true, predicted, labels=labels).to_dict()
    result |= abstention_figures(probabilities, targets, label_space=label_space)
    if label_space.rule.costs:
        costs = np.asarray(label_space.rule.costs)
        result["mean_cost"] = float(costs[true, predicted].mean())
    if temperature != 1.0:
        before = label_space.tempered(probabilities, 1.0 / temperature)
        result["uncalibrated"] = {
            "log_loss": log_loss(before, targets, label_space=label_space),
            "calibration_error": expected_calibration_error(
                before, targets, label_space=label_space
            ),
        }
    return result


def log_loss(probabilities: np.ndarray, targets: np.ndarray, *, label_space: LabelSpace) -> float:
    """Returns the mean negative log-probability of the true labels, in nats.

    A multi-label result is the mean over all decisions.
    """
    distributions, outcomes = label_space.outcomes(probabilities, targets)
    places = np.arange(distributions.shape[1])
    return float(sk.log_loss(outcomes, distributions, labels=places))


def expected_calibration_error(
    probabilities: np.ndarray, targets: np.ndarray, *, label_space: LabelSpace
) -> float:
    """Returns the mean distance of confidence and accuracy; see `Reliability.error`."""
    return reliability(probabilities, targets, label_space=label_space).error
