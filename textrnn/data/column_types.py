"""The types of the columns of a table whose file states none, found in its values."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from textrnn.data.columns import ABSENT

__all__ = ["MIXED_TYPES", "add_kinds", "infer_schema", "schema_of_kinds"]

MIXED_TYPES = frozenset({".jsonl", ".ndjson", ".xlsx"})
"""The extensions of files whose values have types, which may differ within a column."""

_EXACT = 2**53
"""Integers up to this size are exact as floating-point numbers."""


def infer_schema(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Any:
    """Returns the pyarrow schema of the columns: one type for all values of each.

    Integers, and integers with fractions, are numbers. A column of values of different types, of
    lists or of objects is a column of strings, which hold JSON.

    >>> str(infer_schema(["a", "b"], [[1, True], [2.5, "x"]]))
    'a: double\\nb: string'

    Args:
        columns: The names.
        rows: The cells of each row.
    """
    kinds: list[set[str]] = [set() for _ in columns]
    for cells in rows:
        add_kinds(kinds, cells)
    return schema_of_kinds(columns, kinds)


def add_kinds(kinds: Sequence[set[str]], cells: Sequence[object]) -> None:
    """Adds the kinds of the values of one row to those of each column; see `schema_of_kinds`."""
    for kind, cell in zip(kinds, cells, strict=True):
        if cell is not None and cell is not ABSENT:
            kind.add(_kind(cell))


def schema_of_kinds(columns: Sequence[str], kinds: Sequence[Collection[str]]) -> Any:
    """Returns the pyarrow schema of columns; see `infer_schema`.

    Args:
        columns: The names.
        kinds: The kinds of the values of each column, as `add_kinds` names them.
    """
    import pyarrow

    types = {
        frozenset({"bool"}): pyarrow.bool_(),
        frozenset({"int"}): pyarrow.int64(),
        frozenset({"int", "float"}): pyarrow.float64(),
        frozenset({"float"}): pyarrow.float64(),
        frozenset({"int", "long"}): pyarrow.int64(),
        frozenset({"long"}): pyarrow.int64(),
        frozenset({"datetime"}): pyarrow.timestamp("us"),
        frozenset({"date"}): pyarrow.date32(),
        frozenset({"time"}): pyarrow.time64("us"),
    }
    strings = pyarrow.string()
    return pyarrow.schema(
        [
            (name, types.get(frozenset(kind), strings))
            for name, kind in zip(columns, kinds, strict=True)
        ]
    )


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        if abs(value) <= _EXACT:
            return "int"
        return "long" if -(2**63) <= value < 2**63 else "other"
    if isinstance(value, float):
        return "float"
    if isinstance(value, datetime.datetime):
        return "datetime" if value.tzinfo is None else "other"
    if isinstance(value, datetime.date):
        return "date"
    return "time" if isinstance(value, datetime.time) else "other"
