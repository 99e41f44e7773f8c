"""How uncertain the answers of a classifier are, from its probabilities."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from textrnn.config.choices import UNCERTAINTY_MEASURES
from textrnn.errors import ConfigError
from textrnn.messages.wording import listed

if TYPE_CHECKING:
    from textrnn.models.label_space import LabelSpace

__all__ = ["uncertainties"]


def uncertainties(
    probabilities: np.ndarray, *, label_space: LabelSpace, by: str = "margin"
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
    least certain; see `LabelSpace.outcome_probabilities`.

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


def _margin(outcomes: np.ndarray) -> np.ndarray:
    best = np.sort(outcomes, axis=-1)[..., -2:]
    return np.asarray(1.0 - (best[..., 1] - best[..., 0]))


def _entropy(outcomes: np.ndarray) -> np.ndarray:
    logarithms = np.log(outcomes, out=np.zeros_like(outcomes), where=outcomes > 0)
    return np.asarray(-(outcomes * logarithms).sum(axis=-1) / np.log(outcomes.shape[-1]))


def _least_confidence(outcomes: np.ndarray) -> np.ndarray:
    return np.asarray(1.0 - outcomes.max(axis=-1))


_MEASURES: Mapping[str, Callable[[np.ndarray], np.ndarray]] = dict(
    zip(UNCERTAINTY_MEASURES, (_margin, _entropy, _least_confidence), strict=True)
)
