"""Redundancy: how much accuracy the answers lose when fewer tokens are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from textrnn.analysis.dynamics.sampled_batches import Sample
from textrnn.analysis.statistics import wilson
from textrnn.errors import ConfigError, DataError
from textrnn.inference.classifier import TrainedClassifier
from textrnn.messages.wording import counted

__all__ = ["Redundancy", "Thinning", "ThinningPlan", "redundancy"]

DEFAULT_SAMPLE = Sample(documents=200, tokens=0)


@dataclass(frozen=True)
class Thinning:
    """The accuracy when only a part of the tokens is read.

    Attributes:
        way: `every`: each n-th token is read; `drop`: each token is dropped with probability p.
        amount: n or p.
        accuracy: The share of the texts that get exactly their labels.
        low: The lower end of the accuracy's 95 % interval (Wilson 1927).
        high: The upper end of the interval.
        tokens: The share of the tokens that are read, which is the cost of the answers.
    """

    way: str
    amount: float
    accuracy: float
    low: float
    high: float
    tokens: float

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, ready for JSON."""
        return {
            "way": self.way,
            "amount": self.amount,
            "accuracy": self.accuracy,
            "low": self.low,
            "high": self.high,
            "tokens": self.tokens,
        }


@dataclass(frozen=True)
class Redundancy:
    """The accuracy for each way to read fewer tokens; the first way reads all tokens.

    Attributes:
        texts: The number of texts.
        points: One point per way and amount.
    """

    texts: int
    points: tuple[Thinning, ...]

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, ready for JSON."""
        return {"texts": self.texts, "points": [point.to_dict() for point in self.points]}


@dataclass(frozen=True)
class ThinningPlan:
    """The ways to read fewer tokens that are measured.

    >>> list(ThinningPlan(every=(1, 2), drop=(0.5,)))
    [('every', 1), ('every', 2), ('drop', 0.5)]

    Attributes:
        every: Each n: of n tokens the first is read, so that 1 reads all.
        drop: Each p: every token is dropped with this probability.

    Raises:
        ConfigError: An n is less than 1, or a p is not in [0, 1).
    """

    every: Sequence[int] = (1, 2, 3, 4, 8)
    drop: Sequence[float] = (0.1, 0.25, 0.5, 0.75, 0.9)

    def __post_init__(self) -> None:
        if any(n < 1 for n in self.every) or not all(0.0 <= p < 1.0 for p in self.drop):
            raise ConfigError(
                "`every` must hold integers from 1 and `drop` numbers in [0, 1), got "
                f"{list(self.every)} and {list(self.drop)}."
            )

    def __iter__(self) -> Iterator[tuple[str, float]]:
        """Yields each way with its amount."""
        yield from (("every", n) for n in self.every)
        yield from (("drop", p) for p in self.drop)

    def __len__(self) -> int:
        """Returns how often each text is read."""
        return len(self.every) + len(self.drop)


DEFAULT_PLAN = ThinningPlan()


def redundancy(
    classifier: TrainedClassifier,
    texts: Sequence[np.ndarray],
    *,
    labels: Sequence[tuple[str, ...]],
    plan: ThinningPlan = DEFAULT_PLAN,
    sample: Sample = DEFAULT_SAMPLE,
    on_batch: Callable[[int], None] | None = None,
) -> Redundancy:
    """Measures accuracy and cost when only a part of the tokens is read.

    The model was not trained to read such texts. If it loses little accuracy without some tokens,
    they were redundant to it. (A pyramid, `pyramid`, is trained to read fewer steps; see
    `textrnn.compare`.)

    Args:
        classifier: The trained classifier.
        texts: The token ids `[T]` of each text.
        labels: The labels of each text.
        plan: The ways to read fewer tokens.
        sample: Which texts are read, and how much of each. Its seed also determines which tokens
            are dropped.
        on_batch: Receives the number of texts of each batch that is done. Each text counts once
            per way of the plan.

    Raises:
        DataError: There is no text, the number of labels differs from that of the texts, or the
            model does not know a label.
    """
    if not len(texts) or len(texts) != len(labels):
        raise DataError(
            f"expected texts with as many labels, got {counted(len(texts), 'text')} and "
            f"{counted(len(labels), 'label')}."
        )
    rng = np.random.default_rng(sample.seed)
    rows = sample.rows(range(len(texts)), rng=rng)
    whole = [np.asarray(texts[row], np.int32)[: sample.tokens or None] for row in rows]
    label_space = classifier.label_space
    targets = label_space.targets([labels[row] for row in rows])
    points = []
    for way, amount in plan:
        thinned = [_thinned(text, way, amount, rng) for text in whole]
        scores = classifier.score_ids(thinned, on_batch=on_batch)
        correct = label_space.right_answers(scores, targets)
        accuracy = wilson(int(correct.sum()), len(whole))
        total = sum(map(len, whole))
        points.append(
            Thinning(
                way=way,
                amount=float(amount),
                accuracy=accuracy.value,
                low=accuracy.low,
                high=accuracy.high,
                tokens=sum(map(len, thinned)) / total if total else 1.0,
            )
        )
    return Redundancy(len(whole), tuple(points))


def _thinned(text: np.ndarray, way: str, amount: float, rng: np.random.Generator) -> np.ndarray:
    """Returns the tokens of a text that are read."""
    if way == "every":
        return text[:: int(amount)]
    return np.asarray(text[rng.random(len(text)) >= amount])
