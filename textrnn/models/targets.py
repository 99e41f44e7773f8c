"""The targets of many texts in a few bytes a text, where each text carries one label."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["ClassTargets", "Targets"]


class ClassTargets:
    """Targets `[N, C]` of 0 and 1 with one 1 in each row: the place of the 1 instead of the row.

    Ten million texts of 150 labels take 10 MB; as an array of float32 they take 6 GB. The methods
    are those of an array that the training needs, and rows are arrays of float32.

    >>> targets = ClassTargets(np.array([2, 0, 2]), classes=3)
    >>> targets[[0, 1]].tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    >>> targets.sum(axis=0).tolist(), targets[:, 2].tolist()
    ([1.0, 0.0, 2.0], [1.0, 0.0, 1.0])

    Args:
        places: `[N]`, the place of the label of each text, from 0 to C - 1.
        classes: C, the number of labels.
    """

    def __init__(self, places: np.ndarray, *, classes: int) -> None:
        self.classes = classes
        self._places = np.asarray(places, np.min_scalar_type(max(classes - 1, 0)))

    @property
    def shape(self) -> tuple[int, int]:
        """N and C."""
        return len(self), self.classes

    @property
    def nbytes(self) -> int:
        """The memory that the targets take, in bytes."""
        return self._places.nbytes

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, place: Any) -> np.ndarray:
        """Returns rows, or with `[rows, column]` the targets of one label, as float32."""
        if isinstance(place, tuple):
            rows, column = place
            return np.asarray(self._places[rows] == column, np.float32)
        chosen = np.asarray(self._places[place])
        return np.asarray(chosen[..., np.newaxis] == np.arange(self.classes), np.float32)

    def __matmul__(self, values: np.ndarray) -> np.ndarray:
        """Returns the value of each text's label, `[N]` of the values `[C]`."""
        return np.asarray(values[self._places])

    def take(self, rows: np.ndarray, axis: int = 0) -> ClassTargets:
        """Returns the targets of the texts at some places."""
        _check_axis(axis, 0)
        return ClassTargets(self._places[rows], classes=self.classes)

    def sum(self, axis: int, dtype: Any = np.float32) -> np.ndarray:
        """Returns the number of texts of each label, `[C]`."""
        _check_axis(axis, 0)
        return np.bincount(self._places, minlength=self.classes).astype(dtype)

    def argmax(self, axis: int) -> np.ndarray:
        """Returns the place of each text's label, `[N]`."""
        _check_axis(axis, 1)
        return self._places

    def tobytes(self) -> bytes:
        """Returns the places as bytes, for a digest."""
        return self._places.tobytes()


Targets = np.ndarray | ClassTargets
"""`[N, C]` between 0 and 1, the probability of each label."""


def _check_axis(axis: int, expected: int) -> None:
    if axis != expected:
        raise ValueError(f"`axis` must be {expected}, got {axis}.")
