"""Confidence intervals and significance tests for the accuracy of classifiers."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse, stats

from textrnn.messages.shown import one_line
from textrnn.messages.wording import counted, listed

__all__ = [
    "CONFIDENCE",
    "Interval",
    "LengthAccuracy",
    "accuracy_by_length",
    "accuracy_of",
    "bootstrap",
    "caution",
    "holm",
    "mcnemar",
    "wilson",
]

CONFIDENCE = 0.95
LENGTH_BUCKETS = 5
RESAMPLES = 1000

FEW_TEXTS = 100
"""Figures of fewer texts than this deserve a caution."""
FEW_OF_CLASS = 10
"""Figures of a class with fewer texts than this deserve a caution."""


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


def accuracy_of(figures: Mapping[str, Any]) -> Interval:
    """Returns the measured accuracy with its interval.

    >>> round(accuracy_of({"texts": 10, "accuracy": 0.8}).low, 3)
    0.49

    Args:
        figures: The figures of `textrnn.evaluation.metrics.evaluate`.
    """
    texts = int(figures["texts"])
    return wilson(round(figures["accuracy"] * texts), texts)


def caution(figures: Mapping[str, Any], *, name: str = "", with_labels: bool = True) -> str:
    """Returns a sentence if figures rest on few texts, else an empty string.

    >>> caution({"texts": 40, "per_class": {"pos": {"support": 35}, "neg": {"support": 5}}})
    'caution: 40 texts, 1 class with fewer than 10 (neg): these figures depend much on chance.'

    Args:
        figures: The figures of `textrnn.evaluation.metrics.evaluate`.
        name: The name of the texts, such as `validation`.
        with_labels: Whether the sentence names the classes.
    """
    texts = int(figures["texts"])
    supports = {label: of_class["support"] for label, of_class in figures["per_class"].items()}
    rare = [one_line(label) for label, support in supports.items() if support < FEW_OF_CLASS]
    if texts >= FEW_TEXTS and not rare:
        return ""
    parts = [counted(texts, f"{name} text" if name else "text")]
    if rare:
        classes = counted(len(rare), "class", "classes")
        names = f" ({listed(rare, 5)})" if with_labels else ""
        parts.append(f"{classes} with fewer than {FEW_OF_CLASS}{names}")
    return f"caution: {', '.join(parts)}: these figures depend much on chance."


def bootstrap(
    predicted: np.ndarray,
    targets: np.ndarray,
    *,
    groups: Sequence[Hashable] | None = None,
    seed: int = 0,
) -> tuple[Interval, Interval]:
    """Returns the accuracy and the mean F1 of the labels, with percentile bootstrap intervals.

    The intervals come from 1,000 samples of the texts with replacement (Efron 1979, "Bootstrap
    Methods"), or of the groups, if texts of a group are alike (Field and Welsh 2007,
    "Bootstrapping Clustered Data"). Texts with the same labels and the same answer are
    interchangeable, so that it suffices to draw the number of texts of each kind. A label that is
    neither given nor predicted has an F1 of 0.

    >>> answers = np.eye(2)[[0, 0, 1, 1]]
    >>> accuracy, macro_f1 = bootstrap(answers > 0, np.eye(2)[[0, 0, 1, 0]])
    >>> accuracy.value, round(macro_f1.value, 3)
    (0.75, 0.733)

    Args:
        predicted: `[N, C]` of bool.
        targets: `[N, C]` of 0 and 1.
        groups: The group of each text; None: each text is drawn by itself.
        seed: The seed of the samples.
    """
    kinds, kind_of, counts = np.unique(
        np.concatenate([targets > 0, predicted], axis=1),
        axis=0,
        return_inverse=True,
        return_counts=True,
    )
    given, answered = np.split(kinds.astype(np.float64), 2, axis=1)  # [K, C]
    right = (given == answered).all(axis=1).astype(np.float64)  # [K]

    def figures(drawn: np.ndarray) -> np.ndarray:  # [..., K] -> [2, ...]
        accuracy = (drawn @ right) / drawn.sum(axis=-1)
        both = drawn @ (given * answered)
        either = drawn @ (given + answered)
        return np.stack([accuracy, (2.0 * both / np.maximum(either, 1.0)).mean(axis=-1)])

    rng = np.random.default_rng(seed)
    samples = np.concatenate(
        [figures(drawn) for drawn in _draws(counts, kind_of.reshape(-1), groups, rng)], axis=1
    )
    tail = (1.0 - CONFIDENCE) / 2
    low, high = np.quantile(samples, [tail, 1.0 - tail], axis=1)
    accuracy, macro_f1 = (
        Interval(*map(float, bounds))
        for bounds in zip(figures(counts.astype(float)), low, high, strict=True)
    )
    return accuracy, macro_f1


def _draws(
    counts: np.ndarray,
    kind_of: np.ndarray,
    groups: Sequence[Hashable] | None,
    rng: np.random.Generator,
) -> Iterator[np.ndarray]:
    """Yields `RESAMPLES` samples, as the number of texts of each kind, 100 at a time: `[100, K]`.

    Args:
        counts: `[K]`, the number of texts of each kind.
        kind_of: `[N]`, the kind of each text.
        groups: The group of each text; None: each text is a group.
        rng: The source of randomness.
    """
    if groups is None:
        total = int(counts.sum())
        for _ in range(RESAMPLES // 100):
            yield rng.multinomial(total, counts / total, size=100).astype(float)
        return
    numbers: dict[Hashable, int] = {}
    group_of = [numbers.setdefault(group, len(numbers)) for group in groups]
    shape = (len(numbers), len(counts))
    table = sparse.csr_matrix((np.ones(len(group_of)), (group_of, kind_of)), shape=shape)
    for _ in range(RESAMPLES // 100):
        drawn = rng.multinomial(len(numbers), np.full(len(numbers), 1 / len(numbers)), size=100)
        yield np.asarray((table.T @ drawn.T).T, float)


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
