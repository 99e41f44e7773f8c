"""Counts which labels are mistaken for which, in a size that is not quadratic in the labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["DENSE_LABELS", "TOP_CONFUSIONS", "Confusion"]

DENSE_LABELS = 50
"""The number of labels up to which the JSON holds the whole matrix."""

TOP_CONFUSIONS = 20
"""The largest number of kinds of mistakes that are named."""


@dataclass(frozen=True)
class Confusion:
    """The number of texts of each pair of true label and predicted label.

    >>> confusion = Confusion.of(np.array([0, 0, 1]), np.array([0, 1, 1]), labels=("neg", "pos"))
    >>> confusion.matrix().tolist()
    [[1, 1], [0, 1]]
    >>> confusion.top()
    [('neg', 'pos', 1)]

    Attributes:
        labels: The C label names.
        pairs: `[K, 2]`, the places of the true and the predicted label of each pair that occurs.
        texts: `[K]`, the number of texts of each pair, at least 1.
    """

    labels: tuple[str, ...]
    pairs: np.ndarray
    texts: np.ndarray

    @classmethod
    def of(cls, true: np.ndarray, predicted: np.ndarray, *, labels: Sequence[str]) -> Confusion:
        """Counts the pairs of the true labels `[N]` and the predicted labels `[N]`."""
        flat, texts = np.unique(true * len(labels) + predicted, return_counts=True)
        return cls(tuple(labels), np.stack(np.divmod(flat, len(labels)), axis=1), texts)

    @classmethod
    def from_metrics(cls, metrics: Mapping[str, Any]) -> Confusion | None:
        """Reads what `to_dict` wrote among other figures; None if it is not there.

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

        They are `confusion_matrix` and `top_confusions`, the most frequent mistakes by name. With
        more than `DENSE_LABELS` labels `confusion_counts` replaces the matrix: the place of the
        true label, that of the predicted label, and the number of texts, for each pair that occurs.
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
        """Returns the counts `[R, R]` of some labels; a row holds the texts of one true label.

        Args:
            rows: The places of the R labels; None: all C.
        """
        rows = range(len(self.labels)) if rows is None else rows
        place = {row: i for i, row in enumerate(rows)}
        counts = np.zeros([len(rows), len(rows)], int)
        for (true, predicted), texts in zip(self.pairs.tolist(), self.texts, strict=True):
            if true in place and predicted in place:
                counts[place[true], place[predicted]] = texts
        return counts

    def top(self, most: int = TOP_CONFUSIONS) -> list[tuple[str, str, int]]:
        """Returns the most frequent mistakes: true label, predicted label, number of texts."""
        wrong = np.flatnonzero(self.pairs[:, 0] != self.pairs[:, 1])
        order = wrong[np.argsort(-self.texts[wrong], kind="stable")][:most]
        return [
            (self.labels[true], self.labels[predicted], int(texts))
            for (true, predicted), texts in zip(self.pairs[order], self.texts[order], strict=True)
        ]

    def most_confused(self, most: int) -> list[int]:
        """Returns the places of the labels with the most mistakes, as true or predicted label."""
        wrong = self.pairs[:, 0] != self.pairs[:, 1]
        mistakes = np.zeros(len(self.labels), int)
        for column in self.pairs[wrong].T:
            np.add.at(mistakes, column, self.texts[wrong])
        order = np.argsort(-mistakes, kind="stable")[:most]
        return sorted(int(place) for place in order if mistakes[place])
