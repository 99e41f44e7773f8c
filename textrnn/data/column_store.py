"""Columns of many texts and labels, in a few large buffers instead of an object per row."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

from textrnn.runtime.blocks import blocks

if TYPE_CHECKING:
    import numpy as np
    import pyarrow

__all__ = ["LabelColumn", "TextColumn", "take"]

T = TypeVar("T")

_BLOCK_ROWS = 8192
"""The number of rows that exist as Python objects at a time."""


class TextColumn(Sequence[str]):
    """Texts in an Arrow array: their UTF-8 bytes and eight bytes a text.

    Ten million short texts take 0.7 GB, as Python strings they take 1.5.

    >>> column = TextColumn.of(["a good film", "dull", "fine"])
    >>> column[-1], column[:2], len(column)
    ('fine', ['a good film', 'dull'], 3)
    >>> column.take([2, 0])
    ['fine', 'a good film']

    Args:
        array: A `large_string` array without nulls.
    """

    def __init__(self, array: pyarrow.LargeStringArray) -> None:
        self._array = array

    @classmethod
    def of(cls, texts: Iterable[str]) -> TextColumn:
        """Returns the column of some texts, which are read once; they must be valid Unicode."""
        import pyarrow

        kind = pyarrow.large_string()
        chunks = [pyarrow.array(block, kind) for block in blocks(texts, _BLOCK_ROWS)]
        return cls(pyarrow.chunked_array(chunks, kind).combine_chunks())

    def __len__(self) -> int:
        return len(self._array)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: int | slice) -> str | list[str]:
        """Returns the text at a place, or a list of those of a slice."""
        if isinstance(place, slice):
            texts: list[str] = self._array[place].to_pylist()
            return texts
        return str(self._array[int(place)].as_py())

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), _BLOCK_ROWS):
            yield from self[start : start + _BLOCK_ROWS]

    def take(self, rows: Sequence[int] | np.ndarray) -> TextColumn:
        """Returns the column of the texts at some places."""
        return TextColumn(self._array.take(_places(rows)))

    @property
    def characters(self) -> int:
        """The number of characters of all texts."""
        import pyarrow.compute

        return int(pyarrow.compute.sum(pyarrow.compute.utf8_length(self._array)).as_py() or 0)

    def __eq__(self, other: object) -> bool:
        return _equal(self, other)

    def __repr__(self) -> str:
        return repr(list(self))


class LabelColumn(Sequence[tuple[str, ...]]):
    """The labels of many texts: each different set of labels once, and four bytes a text.

    >>> column = LabelColumn.of([("neg",), ("pos",), ("neg",)])
    >>> column.distinct, column.codes.tolist()
    ([('neg',), ('pos',)], [0, 1, 0])
    >>> column.take([2, 1])
    [('neg',), ('pos',)]

    Args:
        codes: `[N]` of int32, the place of each text's labels in `distinct`.
        distinct: Labels of a text, each once.
    """

    def __init__(self, codes: np.ndarray, distinct: Sequence[tuple[str, ...]]) -> None:
        self.codes = codes
        self.distinct: list[tuple[str, ...]] = list(distinct)

    @classmethod
    def of(cls, labels: Iterable[tuple[str, ...]]) -> LabelColumn:
        """Returns the column of the labels of some texts, which are read once."""
        import numpy as np

        if isinstance(labels, LabelColumn):
            return labels
        codes: dict[tuple[str, ...], int] = {}
        numbers = (codes.setdefault(row, len(codes)) for row in labels)
        return cls(np.fromiter(numbers, np.int32), list(codes))

    def __len__(self) -> int:
        return len(self.codes)

    @overload
    def __getitem__(self, place: int) -> tuple[str, ...]: ...
    @overload
    def __getitem__(self, place: slice) -> list[tuple[str, ...]]: ...
    def __getitem__(self, place: int | slice) -> tuple[str, ...] | list[tuple[str, ...]]:
        """Returns the labels at a place, or a list of those of a slice."""
        if isinstance(place, slice):
            return [self.distinct[code] for code in self.codes[place].tolist()]
        return self.distinct[int(self.codes[place])]

    def __iter__(self) -> Iterator[tuple[str, ...]]:
        for start in range(0, len(self), _BLOCK_ROWS):
            yield from self[start : start + _BLOCK_ROWS]

    def take(self, rows: Sequence[int] | np.ndarray) -> LabelColumn:
        """Returns the column of the labels at some places."""
        import numpy as np

        return LabelColumn(self.codes[np.asarray(rows, np.int64)], self.distinct)

    def renamed(self, names: Mapping[str, str]) -> LabelColumn:
        """Returns the labels with other names; a text has each name once."""
        import numpy as np

        renamed = [tuple(dict.fromkeys(names[name] for name in row)) for row in self.distinct]
        distinct: dict[tuple[str, ...], int] = {}
        codes = [distinct.setdefault(row, len(distinct)) for row in renamed]
        return LabelColumn(np.array(codes, np.int32)[self.codes], list(distinct))

    def name_counts(self) -> Counter[str]:
        """Returns how many texts have each label, in the order of first appearance."""
        counts: Counter[str] = Counter()
        for names, count in self.counts().items():
            for name in names:
                counts[name] += count
        return counts

    def counts(self) -> dict[tuple[str, ...], int]:
        """Returns how many texts have each set of labels, in the order of first appearance."""
        import numpy as np

        used = np.bincount(self.codes, minlength=len(self.distinct))
        _, first = np.unique(self.codes, return_index=True)
        order = self.codes[np.sort(first)]
        return {self.distinct[code]: int(used[code]) for code in order.tolist()}

    def __eq__(self, other: object) -> bool:
        return _equal(self, other)

    def __repr__(self) -> str:
        return repr(list(self))


def take(items: Sequence[T], rows: Sequence[int] | np.ndarray) -> Sequence[T]:
    """Returns the items at some places, as a column if they are one."""
    if isinstance(items, TextColumn | LabelColumn):
        taken: Any = items.take(rows)
        column: Sequence[T] = taken
        return column
    return [items[row] for row in rows]


def _places(rows: Sequence[int] | np.ndarray) -> pyarrow.Array:
    import numpy as np
    import pyarrow

    return pyarrow.array(np.asarray(rows, np.int64))


def _equal(column: Sequence[Any], other: object) -> bool:
    if not isinstance(other, Sequence) or isinstance(other, str):
        return False
    return len(column) == len(other) and all(map(operator.eq, column, other))
