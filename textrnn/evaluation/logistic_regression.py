"""Logistic regression on sparse features, one class at a time."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse
import scipy.special

from textrnn.models.label_space import LabelSpace
from textrnn.models.targets import Targets

__all__ = ["LinearModel", "fit_logistic_regression"]

TOLERANCE = 0.1
"""liblinear's `tol`. On seven data sets 0.0001 gave the same accuracy in two to five times the
time."""


LEAST_PROBABILITY = 0.02
"""A less probable outcome of a text is left out: it costs as much time as a probable one."""


@dataclass(frozen=True)
class LinearModel:
    """A linear classifier of features `[N, F]`.

    Attributes:
        coefficients: `[F, C]`.
        bias: `[C]`.
        label_space: The C labels.
    """

    coefficients: np.ndarray
    bias: np.ndarray
    label_space: LabelSpace

    def probabilities(self, features: scipy.sparse.csr_matrix) -> np.ndarray:
        """Returns the probabilities `[N, C]`; of labels that exclude each other they sum to 1."""
        logits = features @ self.coefficients + self.bias
        if _is_opposite(self.label_space):
            return np.asarray(scipy.special.softmax(logits, axis=1))
        p = np.asarray(scipy.special.expit(logits))
        return p if self.label_space.multi_label else p / p.sum(axis=1, keepdims=True)


def fit_logistic_regression(
    features: scipy.sparse.csr_matrix,
    targets: Targets,
    *,
    label_space: LabelSpace,
    inverse_penalty: float,
    sample_weights: np.ndarray | None = None,
    seed: int = 0,
    on_class: Callable[[int], Any] | None = None,
) -> LinearModel:
    """Fits one logistic regression for each class; of two labels that exclude each other, only one.

    Args:
        features: `[N, F]`.
        targets: `[N, C]` between 0 and 1: the probability that the text has the label.
        label_space: The C labels.
        inverse_penalty: scikit-learn's C.
        sample_weights: `[N]`, the weight of each text in the loss; None: 1.
        seed: The seed of the optimizer.
        on_class: Receives 1 for each class that is done.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    classes = targets.shape[1]
    coefficients, bias = np.zeros([features.shape[1], classes]), np.zeros(classes)
    opposite = _is_opposite(label_space)
    for column in range(classes):
        share = (targets[:, column].sum() + 0.5) / (len(targets) + 1.0)
        bias[column] = np.log(share / (1.0 - share))
        rows, target, weights = _outcomes(targets[:, column], sample_weights)
        if (opposite and column == 0) or target.all() or not target.any():
            continue  # A class that has no or all texts has its share alone.
        model = LogisticRegression(
            C=inverse_penalty, solver="liblinear", dual=True, tol=TOLERANCE, random_state=seed
        )
        with warnings.catch_warnings():
            # What 100 passes reach is good enough, and no user could do anything about it.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(features if rows is None else features[rows], target, sample_weight=weights)
        coefficients[:, column] = model.coef_[0]
        bias[column] = model.intercept_[0]
        if on_class is not None:
            on_class(1)
    if opposite:
        coefficients = np.stack([-coefficients[:, 1], coefficients[:, 1]], axis=1) / 2
        bias = np.array([-bias[1], bias[1]]) / 2
    return LinearModel(coefficients, bias, label_space)


def _outcomes(
    targets: np.ndarray, sample_weights: np.ndarray | None
) -> tuple[np.ndarray | None, np.ndarray, np.ndarray | None]:
    """Returns the places `[M]` of texts, whether each has the label, and the weight of that.

    A text whose target is between 0 and 1 comes twice: with the label and without it. Places of
    None are those of all texts, each once.

    Args:
        targets: `[N]`.
        sample_weights: `[N]`; None: 1.
    """
    if np.isin(targets, (0, 1)).all():
        return None, targets > 0.5, sample_weights
    has, lacks = (np.flatnonzero(p > LEAST_PROBABILITY) for p in (targets, 1.0 - targets))
    rows = np.concatenate([has, lacks])
    weights = np.concatenate([targets[has], 1.0 - targets[lacks]])
    if sample_weights is not None:
        weights = weights * sample_weights[rows]
    return rows, np.arange(len(rows)) < len(has), weights


def _is_opposite(label_space: LabelSpace) -> bool:
    """Returns whether there are two labels, of which each text has one."""
    return len(label_space.labels) == 2 and not label_space.multi_label
