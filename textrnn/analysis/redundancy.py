"""Redundancy: what the answers lose when fewer tokens are read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from textrnn.analysis.comparison import right_answers, wilson
from textrnn.errors import ConfigError, DataError
from textrnn.inference.classifier import TrainedClassifier
from textrnn.messages.wording import counted, listed

__all__ = ["Redundancy", "Thinning", "redundancy"]


@dataclass(frozen=True)
class Thinning:
    """The accuracy when only a part of the tokens is read.

    Attributes:
        way: `every`: each n-th token; `drop`: each token is left out with probability p.
        amount: n or p.
        accuracy: Share of the texts that get their labels, all of them where there are several.
        low: Lower end of the accuracy's 95 % interval (Wilson 1927).
        high: Its upper end.
        tokens: Share of the tokens that are read: what the answers cost.
    """

    way: str
    amount: float
    accuracy: float
    low: float
    high: float
    tokens: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
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
    """The accuracy for each way to read fewer tokens; the first is that of all tokens.

    Attributes:
        texts: How many texts.
        points: Each way and amount.
    """

    texts: int
    points: tuple[Thinning, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {"texts": self.texts, "points": [point.to_dict() for point in self.points]}


def redundancy(
    classifier: TrainedClassifier,
    texts: Sequence[np.ndarray],
    labels: Sequence[tuple[str, ...]],
    *,
    every: Sequence[int] = (1, 2, 3, 4, 8),
    drop: Sequence[float] = (0.1, 0.25, 0.5, 0.75, 0.9),
    documents: int = 200,
    seed: int = 0,
    on_batch: Callable[[int], None] = lambda count: None,
) -> Redundancy:
    """Accuracy and cost when each n-th token is kept, or each token dropped with probability p.

    The model is as it is: it was not trained to read such texts. What it loses little without was
    redundant to it. (A pyramid, `--pyramid`, is trained to; see `textrnn compare`.)

    Args:
        classifier: The trained classifier.
        texts: Token ids of each text.
        labels: The labels of each text.
        every: Each n; of each n tokens the first is kept, so that 1 keeps all.
        drop: Each p.
        documents: How many texts are drawn; 0: all.
        seed: Of the choice and the dropping.
        on_batch: Told how many texts are done, each once for every n and p.

    Raises:
        ConfigError: An n is less than 1 or a p not in [0, 1).
        DataError: There is no text, not as many labels, or a label the model does not know.
    """
    if any(n < 1 for n in every) or not all(0.0 <= p < 1.0 for p in drop):
        raise ConfigError(
            f"`every` must hold integers from 1 and `drop` numbers in [0, 1), got {list(every)} "
            f"and {list(drop)}."
        )
    if not len(texts) or len(texts) != len(labels):
        raise DataError(
            f"expected texts with as many labels, got {counted(len(texts), 'text')} and "
            f"{counted(len(labels), 'label')}."
        )
    rng = np.random.default_rng(seed)
    chosen = np.sort(rng.permutation(len(texts))[: documents or len(texts)])
    place = {label: i for i, label in enumerate(classifier.labels)}
    right = np.zeros([len(chosen), len(place)], bool)
    for row, i in enumerate(chosen):
        for label in labels[i]:
            if label not in place:
                known = listed(classifier.labels)
                raise DataError(f"expected the labels {known}, got {label!r}.")
            right[row, place[label]] = True
    whole = [np.asarray(texts[i], np.int32) for i in chosen]
    points = []
    ways: list[tuple[str, float]] = [("every", n) for n in every]
    ways += [("drop", p) for p in drop]
    for way, amount in ways:
        thin = [
            text[:: int(amount)] if way == "every" else text[rng.random(len(text)) >= amount]
            for text in whole
        ]
        scores = classifier.score_ids(thin, on_batch=on_batch)
        several = classifier.config.task.multi_label
        hits = int(right_answers(scores, right, multi_label=several).sum())
        accuracy = wilson(hits, len(whole))
        total = sum(map(len, whole))
        points.append(
            Thinning(
                way=way,
                amount=float(amount),
                accuracy=accuracy.value,
                low=accuracy.low,
                high=accuracy.high,
                tokens=sum(map(len, thin)) / total if total else 1.0,
            )
        )
    return Redundancy(len(whole), tuple(points))
