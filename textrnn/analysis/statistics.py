"""Confidence intervals and significance tests for the accuracy of classifiers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

__all__ = [
    "CONFIDENCE",
    "Interval",
    "LengthAccuracy",
    "accuracy_by_length",
    "holm",
    "mcnemar",
    "wilson",
]

CONFIDENCE = 0.95
LENGTH_BUCKETS = 5


@dataclass(frozen=True)
class Interval:
    """A figure with the bounds of its 95 % confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class LengthAccuracy:
    """The accuracy on the texts of one bucket of lengths.

    Attributes:
        shortest: The length of the shortest text in tokens.
        longest: The length of the longest text in tokens.
        texts: The number of texts.
        accuracy: The accuracy on these texts.
    """

    shortest: int
    longest: int
    texts: int
    accuracy: Interval


def wilson(successes: int, trials: int) -> Interval:
    """Returns a share with Wilson's score interval.

    With z the normal quantile, p = k/n: `(p + z^2/2n +- z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n)`
    (Wilson 1927, "Probable Inference, the Law of Succession, and Statistical Inference").

    >>> interval = wilson(8, 10)
    >>> interval.value, round(interval.low, 3), round(interval.high, 3)
    (0.8, 0.49, 0.943)

    Args:
        successes: k.
        trials: n, at least 1.
    """
    bounds = stats.binomtest(successes, trials).proportion_ci(CONFIDENCE, method="wilson")
    return Interval(successes / trials, float(bounds.low), float(bounds.high))


def mcnemar(only_first: int, only_second: int) -> float:
    """Returns the p-value of McNemar's exact test that two classifiers are equally accurate.

    If they are, each text that only one of the two answers correctly belongs to either with
    probability 1/2. The test is a two-sided binomial test of these texts (McNemar 1947, "Note on
    the Sampling Error of the Difference Between Correlated Proportions or Percentages").

    >>> mcnemar(0, 5)
    0.0625

    Args:
        only_first: The number of texts that only the first classifier answers correctly.
        only_second: The number of texts that only the second classifier answers correctly.

    Returns:
        The p-value; 1 if there is no such text.
    """
    discordant = only_first + only_second
    return float(stats.binomtest(only_first, discordant).pvalue) if discordant else 1.0


def holm(p_values: Sequence[float]) -> list[float]:
    """Returns the p-values of m tests, corrected for their number.

    The corrected value is `max over j <= i of min(1, (m - j + 1) p_(j))` (Holm 1979, "A Simple
    Sequentially Rejective Multiple Test Procedure").

    >>> holm([0.01, 0.5])
    [0.02, 0.5]
    """
    order = np.argsort(p_values, kind="stable")
    adjusted, highest = [0.0] * len(order), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * p_values[place]))
        adjusted[place] = highest
    return adjusted


def accuracy_by_length(right: np.ndarray, lengths: np.ndarray) -> tuple[LengthAccuracy, ...]:
    """Returns the accuracy in five buckets of about equally many texts, short texts first.

    Texts of one length share a bucket, so that there may be fewer buckets.

    Args:
        right: `[N]` of bool, whether each text is answered correctly.
        lengths: `[N]`, the length of each text.
    """
    lengths = np.asarray(lengths)
    shares = np.linspace(0.0, 1.0, LENGTH_BUCKETS + 1)[1:-1]
    edges = np.unique(np.quantile(lengths, shares, method="lower"))
    bucket_of = np.searchsorted(edges, lengths, side="left")
    buckets = []
    for bucket in np.unique(bucket_of):
        inside = bucket_of == bucket
        buckets.append(
            LengthAccuracy(
                shortest=int(lengths[inside].min()),
                longest=int(lengths[inside].max()),
                texts=int(inside.sum()),
                accuracy=wilson(int(right[inside].sum()), int(inside.sum())),
            )
        )
    return tuple(buckets)
