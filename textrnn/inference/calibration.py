"""Probabilities that mean what they say: the reliability diagram, temperature scaling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["CALIBRATION_BINS", "Reliability", "calibrated", "fit_temperature", "reliability"]

CALIBRATION_BINS = 15

COLDEST, HOTTEST = 0.05, 20.0
_LEAST = 1e-12


def calibrated(scores: np.ndarray, temperature: float, *, multi_label: bool) -> np.ndarray:
    """The probabilities `[N, C]` that logits divided by the temperature would have given."""
    log = np.log(np.maximum(np.asarray(scores, np.float64), _LEAST))
    if multi_label:
        other = np.log(np.maximum(1.0 - np.asarray(scores, np.float64), _LEAST))
        return np.asarray(1.0 / (1.0 + np.exp((other - log) / temperature)))
    log = log / temperature
    powers = np.exp(log - log.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def fit_temperature(scores: np.ndarray, targets: np.ndarray, *, multi_label: bool) -> float:
    """The temperature that makes the labels most probable.

    Guo et al. 2017, "On Calibration of Modern Neural Networks".

    Args:
        scores: Probabilities `[N, C]`.
        targets: `[N, C]` of 0 and 1.
        multi_label: Whether each label has a probability of its own.
    """
    import scipy.optimize

    def loss(log_temperature: float) -> float:
        found = calibrated(scores, float(np.exp(log_temperature)), multi_label=multi_label)
        right = np.where(targets > 0.5, found, 1.0 - found if multi_label else 1.0)
        return float(-np.log(np.maximum(right, _LEAST)).sum(axis=1).mean())

    bounds = (np.log(COLDEST), np.log(HOTTEST))
    return float(np.exp(scipy.optimize.minimize_scalar(loss, bounds=bounds, method="bounded").x))


@dataclass(frozen=True)
class Reliability:
    """How confident the answers were, and how often they were right, by confidence.

    Attributes:
        counts: `[15]`, the answers in each of as many equal bins of the confidence.
        confidence: `[15]`, the sum of their confidences.
        correct: `[15]`, how many of them were right.
    """

    counts: np.ndarray
    confidence: np.ndarray
    correct: np.ndarray

    @property
    def error(self) -> float:
        """The calibration error (ECE): `sum_b n_b / N |accuracy_b - confidence_b|`."""
        return float(np.abs(self.correct - self.confidence).sum() / self.counts.sum())


def reliability(
    probabilities: np.ndarray, targets: np.ndarray, *, multi_label: bool
) -> Reliability:
    """The reliability diagram's figures.

    Guo et al. 2017, "On Calibration of Modern Neural Networks".

    Args:
        probabilities: `[N, C]`. The confidence is that of the predicted label, or for multi-label
            the probability of each label, an answer being right where the text carries it.
        targets: `[N, C]` of 0 and 1.
        multi_label: Whether each label has a probability of its own.
    """
    if multi_label:
        confidence, correct = probabilities.ravel(), targets.ravel() > 0
    else:
        confidence = probabilities.max(axis=1)
        correct = probabilities.argmax(axis=1) == targets.argmax(axis=1)
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    return Reliability(
        counts=np.bincount(bins, minlength=CALIBRATION_BINS),
        confidence=np.bincount(bins, confidence.astype(np.float64), CALIBRATION_BINS),
        correct=np.bincount(bins, correct, CALIBRATION_BINS),
    )
