"""Which labels are taken for which, in a size that does not grow with the square of the labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["DENSE_LABELS", "TOP_CONFUSIONS", "Confusion"]

DENSE_LABELS = 50
"""Labels up to which the whole matrix is kept as JSON."""

TOP_CONFUSIONS = 20
"""Mistakes that are named, at the most."""


@dataclass(frozen=True)
class Confusion:
    """How many texts of each true label got each answer.

    >>> found = Confusion.of(np.array([0, 0, 1]), np.array([0, 1, 1]), labels=("neg", "pos"))
    >>> found.matrix().tolist()
    [[1, 1], [0, 1]]
    >>> found.top()
    [('neg', 'pos', 1)]

    Attributes:
        labels: The C label names.
        pairs: `[K, 2]`, the places of a true label and an answer that occur together, in order.
        texts: `[K]`, the number of texts of each pair, at least 1.
    """

    labels: tuple[str, ...]
    pairs: np.ndarray
    texts: np.ndarray

    @classmethod
    def of(cls, true: np.ndarray, predicted: np.ndarray, *, labels: Sequence[str]) -> Confusion:
        """Counts the pairs of labels `[N]` and answers `[N]`."""
        flat, texts = np.unique(true * len(labels) + predicted, return_counts=True)
        return cls(tuple(labels), np.stack(np.divmod(flat, len(labels)), axis=1), texts)

    @classmethod
    def from_metrics(cls, metrics: Mapping[str, Any]) -> Confusion | None:
        """Reads what `to_dict` wrote among other figures; None where there is none of it.

        Args:
            metrics: The figures of `textrnn.evaluation.metrics.evaluate`.
        """
        labels = tuple(metrics["per_class"])
        if "confusion_counts" in metrics:
            counts = np.array(metrics["confusion_counts"], int).reshape(-1, 3)
            return cls(labels, counts[:, :2], counts[:, 2])
        if "confusion_matrix" in metrics:
            matrix = np.array(metrics["confusion_matrix"], int)
            return cls(labels, np.argwhere(matrix), matrix[matrix > 0])
        return None

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, ready for JSON.

        `confusion_matrix`, or of more than `DENSE_LABELS` labels `confusion_counts`: the place of
        the true label, that of the answer and the number of texts of each pair that occurs. And
        `top_confusions`, the most frequent mistakes by name.
        """
        plain: dict[str, Any] = {}
        if len(self.labels) <= DENSE_LABELS:
            plain["confusion_matrix"] = self.matrix().tolist()
        else:
            counts = np.concatenate([self.pairs, self.texts[:, np.newaxis]], axis=1)
            plain["confusion_counts"] = counts.tolist()
        plain["top_confusions"] = [
            {"true": true, "predicted": predicted, "texts": texts}
            for true, predicted, texts in self.top()
        ]
        return plain

    def matrix(self, rows: Sequence[int] | None = None) -> np.ndarray:
        """Returns the counts `[R, R]` of some labels among themselves, rows: true label.

        Args:
            rows: The places of the R labels; None: all C.
        """
        rows = range(len(self.labels)) if rows is None else rows
        place = {row: i for i, row in enumerate(rows)}
        found = np.zeros([len(rows), len(rows)], int)
        for (true, predicted), texts in zip(self.pairs.tolist(), self.texts, strict=True):
            if true in place and predicted in place:
                found[place[true], place[predicted]] = texts
        return found

    def top(self, most: int = TOP_CONFUSIONS) -> list[tuple[str, str, int]]:
        """Returns the most frequent mistakes: true label, answer, number of texts."""
        wrong = np.flatnonzero(self.pairs[:, 0] != self.pairs[:, 1])
        order = wrong[np.argsort(-self.texts[wrong], kind="stable")][:most]
        return [
            (self.labels[true], self.labels[predicted], int(texts))
            for (true, predicted), texts in zip(self.pairs[order], self.texts[order], strict=True)
        ]

    def most_confused(self, most: int) -> list[int]:
        """Returns the places of the labels with the most mistakes, as truth or as answer."""
        wrong = self.pairs[:, 0] != self.pairs[:, 1]
        mistakes = np.zeros(len(self.labels), int)
        for column in self.pairs[wrong].T:
            np.add.at(mistakes, column, self.texts[wrong])
        order = np.argsort(-mistakes, kind="stable")[:most]
        return sorted(int(place) for place in order if mistakes[place])
