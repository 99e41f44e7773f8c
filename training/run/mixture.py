"""Mixes the logits of a recurrence with those of n-grams, and calibrates them.

    z = a z_rnn + b z_ngrams + s log_prior

a, b and s are fitted to the log loss of the validation texts, which none of the parts has learned
from (stacking: Wolpert 1992, "Stacked Generalization"). The sum is the weighted mean of the logits
of recurrence and n-grams, divided by the temperature `T = 1 / (a + b)`. So the fit is also
temperature scaling (Guo et al. 2017, "On Calibration of Modern Neural Networks"): without n-grams
it is nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.optimize
import tensorflow as tf

from textrnn.models.label_space import LabelSpace

__all__ = ["Mixture", "fit_mixture"]

ALONE, TOGETHER = 1.0, 0.7
"""The weights of the parts if there is no validation text: of one part, and of each of two."""

PRIOR_STRENGTH = 5.0
"""A weight w has the penalty `5 (w - 0.7)^2` nats, so that few validation texts move it little."""

LEAST_ALONE = 0.05
"""The least weight of a recurrence without n-grams: its answers must remain."""


@dataclass(frozen=True)
class Mixture:
    """The weights of the parts of a classifier.

    >>> Mixture(rnn=0.5, ngrams=0.75, prior=0.0, loss=0.3).temperature
    0.8

    Attributes:
        rnn: a.
        ngrams: b; 0 without n-grams.
        prior: s; 0 without a prior.
        loss: The log loss of the validation texts, in nats a text, with the penalty.
    """

    rnn: float
    ngrams: float
    prior: float
    loss: float

    @property
    def temperature(self) -> float:
        """T, the number that the mean of the logits is divided by."""
        return 1.0 / max(self.rnn + self.ngrams, LEAST_ALONE)


def fit_mixture(
    rnn_logits: np.ndarray,
    ngram_logits: np.ndarray | None,
    targets: np.ndarray,
    *,
    label_space: LabelSpace,
    log_prior: np.ndarray | None = None,
) -> Mixture:
    """Fits the mixture with the least log loss, with a weak prior.

    Args:
        rnn_logits: `[N, C]`.
        ngram_logits: `[N, C]`; None: there are no n-grams.
        targets: `[N, C]` of 0 and 1.
        label_space: The labels.
        log_prior: `[C]`, what the loss of the training has taken from the logits, such as the
            logarithms of the frequencies of the classes; None: nothing.
    """
    parts, start, bounds = [rnn_logits], [ALONE], [(LEAST_ALONE, None)]
    if ngram_logits is not None:
        parts, start = [rnn_logits, ngram_logits], [TOGETHER] * 2
        bounds = [(0.0, None)] * 2
    if log_prior is not None:
        parts.append(np.broadcast_to(log_prior, rnn_logits.shape))
        start.append(1.0)
        bounds.append((0.0, None))

    def penalized_loss(weights: Any) -> float:
        logits = sum(weight * part for weight, part in zip(weights, parts, strict=True))
        probabilities = label_space.activation(tf.constant(logits, tf.float64)).numpy()
        penalty = PRIOR_STRENGTH * np.square(weights - np.array(start)).sum()
        return float(label_space.log_loss(probabilities, targets).sum() + penalty)

    best = scipy.optimize.minimize(penalized_loss, np.array(start), bounds=bounds)
    weights = list(map(float, best.x))
    return Mixture(
        rnn=weights[0],
        ngrams=0.0 if ngram_logits is None else weights[1],
        prior=0.0 if log_prior is None else weights[-1],
        loss=float(best.fun) / max(len(targets), 1),
    )
