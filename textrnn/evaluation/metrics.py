"""What a classifier's probabilities are worth, measured against the true labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn import metrics as sk

from textrnn.evaluation.class_figures import class_figures
from textrnn.evaluation.confusion import Confusion
from textrnn.inference.calibration import reliability

__all__ = ["evaluate", "expected_calibration_error", "log_loss"]


def evaluate(
    probabilities: np.ndarray, targets: np.ndarray, *, labels: Sequence[str], multi_label: bool
) -> dict[str, Any]:
    """All figures about some predictions, as plain values ready for JSON.

    Args:
        probabilities: `[N, C]`.
        targets: `[N, C]` of 0 and 1; a single-label row holds one 1.
        labels: The C label names.
        multi_label: Whether a text may carry any number of labels. Then a label is predicted at
            a probability of at least 0.5, accuracy is the share of texts with all labels right,
            and log loss and calibration are those of the single yes-or-no decisions.

    Returns:
        `texts`, `accuracy`, `macro_f1`, `log_loss` (in nats), `calibration_error`, `per_class`
        (precision, recall, f1 and support of each label); for multi-label `micro_f1`, otherwise
        what `textrnn.evaluation.confusion.Confusion.to_dict` says of the mistakes.
    """
    if multi_label:
        true, predicted = targets.astype(int), (probabilities >= 0.5).astype(int)
    else:
        true, predicted = targets.argmax(axis=1), probabilities.argmax(axis=1)
    each, micro_f1 = class_figures(true, predicted, classes=len(labels))
    result: dict[str, Any] = {
        "texts": len(targets),
        "accuracy": float(sk.accuracy_score(true, predicted)),
        "macro_f1": float(np.mean(each.f1)),
        "log_loss": log_loss(probabilities, targets, multi_label=multi_label),
        "calibration_error": expected_calibration_error(
            probabilities, targets, multi_label=multi_label
        ),
        "per_class": {
            label: {
                "precision": float(each.precision[i]),
                "recall": float(each.recall[i]),
                "f1": float(each.f1[i]),
                "support": int(each.support[i]),
            }
            for i, label in enumerate(labels)
        },
    }
    if multi_label:
        return {**result, "micro_f1": micro_f1}
    return {**result, **Confusion.of(true, predicted, labels=labels).to_dict()}


def log_loss(probabilities: np.ndarray, targets: np.ndarray, *, multi_label: bool) -> float:
    """The mean negative log-probability of the truth, in nats; for multi-label, per decision."""
    p, y = probabilities.astype(np.float64), targets
    if multi_label:
        decisions = np.stack([1.0 - p.ravel(), p.ravel()], axis=1)
        return float(sk.log_loss(y.ravel().astype(int), decisions, labels=[0, 1]))
    # The library asks for rows that sum to 1 in double precision.
    p = p / p.sum(axis=1, keepdims=True)
    return float(sk.log_loss(y.argmax(axis=1), p, labels=np.arange(p.shape[1])))


def expected_calibration_error(
    probabilities: np.ndarray, targets: np.ndarray, *, multi_label: bool
) -> float:
    """How far confidence and accuracy lie apart; see `Reliability` in inference/calibration."""
    return reliability(probabilities, targets, multi_label=multi_label).error
