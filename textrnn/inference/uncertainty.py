"""How uncertain the answers of a classifier, or of several, are, from their probabilities."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from textrnn.config.choices import UNCERTAINTY_MEASURES
from textrnn.errors import ConfigError
from textrnn.messages.wording import listed

if TYPE_CHECKING:
    from textrnn.runtime.labels import Labels

__all__ = ["disagreements", "uncertainties"]


def uncertainties(
    probabilities: np.ndarray, *, label_space: Labels, by: str = "margin"
) -> np.ndarray:
    """Returns how uncertain the answer to each text is, `[N]`, from 0 (certain) to 1.

    With the calibrated probabilities `p_1 >= p_2 >= ... >= p_C` of one text, the measures are

        margin              1 - (p_1 - p_2)
        entropy             -sum_c p_c ln p_c / ln C
        least-confidence    1 - p_1

    `margin` finds texts between two labels; `entropy` regards all labels; `least-confidence` is at
    most 1 - 1/C. With two labels all three have the same order. The rule that chooses the answer
    has no part in them.

    In a multi-label space each label is a decision of its own, with two outcomes, and a text has
    the uncertainty of its least certain decision. A fitted threshold t is where that decision is
    least certain; see `Labels.outcome_probabilities`.

    Source: Settles, "Active Learning Literature Survey", 2009, section 3.1.

    Args:
        probabilities: `[N, C]`.
        label_space: The labels.
        by: The measure, one of `UNCERTAINTY_MEASURES`.

    Raises:
        ConfigError: The measure is unknown.
    """
    if by not in _MEASURES:
        raise ConfigError(f"`by` must be one of {listed(UNCERTAINTY_MEASURES)}, got {by!r}.")
    outcomes = label_space.outcome_probabilities(np.asarray(probabilities, np.float64))
    return np.asarray(np.clip(_MEASURES[by](outcomes).max(axis=1), 0.0, 1.0))


def disagreements(probabilities: np.ndarray, *, label_space: Labels) -> np.ndarray:
    """Returns how much M classifiers disagree about each text, `[N]`, from 0 to 1.

    With the probabilities p_m of one text, it is the Jensen-Shannon divergence

        (H(1/M sum_m p_m) - 1/M sum_m H(p_m)) / ln min(M, C),   H(p) = -sum_c p_c ln p_c

    Its numerator is the mutual information of the answer and the choice of the classifier. A text
    about which all classifiers are equally unsure has 0: more labels would not change that.

    In a multi-label space each label is a decision of its own, with two outcomes, and a text has
    the largest disagreement of its decisions. Thresholds have no part in it.

    Source: Houlsby et al., "Bayesian Active Learning for Classification and Preference Learning",
    2011 (BALD); its distribution over models is here that of the M classifiers.

    Args:
        probabilities: `[M, N, C]`, the labels in the same order.
        label_space: The labels.

    Raises:
        ConfigError: There is only one classifier.
    """
    members, _, classes = probabilities.shape
    if members < 2:
        raise ConfigError(
            f"a disagreement needs at least 2 classifiers, got {members}; give further ones."
        )
    p = np.asarray(probabilities, np.float64)
    if label_space.multi_label:
        outcomes, count = np.stack([1.0 - p, p], axis=-1), 2  # [M, N, C, 2]
    else:
        outcomes, count = p[:, :, np.newaxis], classes  # [M, N, 1, C]
    if count < 2:
        return np.zeros(p.shape[1])
    information = _nats(outcomes.mean(axis=0)) - _nats(outcomes).mean(axis=0)
    return np.asarray(np.clip(information.max(axis=1) / np.log(min(members, count)), 0.0, 1.0))


def _margin(outcomes: np.ndarray) -> np.ndarray:
    best = np.sort(outcomes, axis=-1)[..., -2:]
    return np.asarray(1.0 - (best[..., 1] - best[..., 0]))


def _entropy(outcomes: np.ndarray) -> np.ndarray:
    return np.asarray(_nats(outcomes) / np.log(outcomes.shape[-1]))


def _nats(outcomes: np.ndarray) -> np.ndarray:
    """Returns the entropy of the distributions in the last axis, in nats."""
    logarithms = np.log(outcomes, out=np.zeros_like(outcomes), where=outcomes > 0)
    return np.asarray(-(outcomes * logarithms).sum(axis=-1))


def _least_confidence(outcomes: np.ndarray) -> np.ndarray:
    return np.asarray(1.0 - outcomes.max(axis=-1))


_MEASURES: Mapping[str, Callable[[np.ndarray], np.ndarray]] = dict(
    zip(UNCERTAINTY_MEASURES, (_margin, _entropy, _least_confidence), strict=True)
)
