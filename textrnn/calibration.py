"""Probabilities that mean what they say: temperature scaling."""

from __future__ import annotations

import numpy as np

__all__ = ["calibrated", "fit_temperature"]

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
