"""Calibration of probabilities: the reliability diagram."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from textrnn.models.label_space import LabelSpace

__all__ = ["CALIBRATION_BINS", "Reliability", "reliability"]

CALIBRATION_BINS = 15


@dataclass(frozen=True)
class Reliability:
    """The number of answers, and the number of right answers, by confidence.

    >>> one_bin = np.eye(15)[14]
    >>> reliability = Reliability(10 * one_bin, confidence=9.5 * one_bin, correct=8 * one_bin)
    >>> round(reliability.error, 6)
    0.15

    Attributes:
        counts: `[15]`, the number of answers in each of 15 equal bins of confidence.
        confidence: `[15]`, the sum of the confidences in each bin.
        correct: `[15]`, the number of right answers in each bin.
    """

    counts: np.ndarray
    confidence: np.ndarray
    correct: np.ndarray

    @property
    def error(self) -> float:
        """The calibration error (ECE): `sum_b n_b / N |accuracy_b - confidence_b|`."""
        return float(np.abs(self.correct - self.confidence).sum() / self.counts.sum())


def reliability(
    probabilities: np.ndarray, targets: np.ndarray, *, label_space: LabelSpace
) -> Reliability:
    """Returns the figures of the reliability diagram.

    See Guo et al. 2017, "On Calibration of Modern Neural Networks".

    Args:
        probabilities: `[N, C]`.
        targets: `[N, C]` of 0 and 1.
        label_space: The labels; `LabelSpace.confidences` says what counts as an answer.
    """
    confidence, correct = label_space.confidences(probabilities, targets)
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    return Reliability(
        counts=np.bincount(bins, minlength=CALIBRATION_BINS),
        confidence=np.bincount(bins, confidence.astype(np.float64), CALIBRATION_BINS),
        correct=np.bincount(bins, correct, CALIBRATION_BINS),
    )
