"""The rows of one file with all their cells, and the columns that several files have together."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from textrnn.data.columns import ABSENT
from textrnn.data.formats.table import Request
from textrnn.data.rows import Row
from textrnn.data.text_files import open_table
from textrnn.errors import DataError

__all__ = [
    "FileRows",
    "KeptRow",
    "arranged_rows",
    "common_columns",
    "common_schema",
    "open_rows",
    "read_header",
]


class KeptRow(NamedTuple):
    """A row with all its cells.

    Attributes:
        row: The text and the label, or the problem.
        cells: One cell for each column of the table; `ABSENT` where the row has none.
    """

    row: Row
    cells: Sequence[object]


class FileRows(NamedTuple):
    """The rows of a file that is open.

    Attributes:
        columns: The names of its columns.
        rows: The rows, with the cells of these columns.
    """

    columns: tuple[str, ...]
    rows: Iterator[KeptRow]


ColumnKey = tuple[str, int]
"""The name of a column, and the number of earlier columns with this name in its file."""


def read_header(path: Path, request: Request) -> tuple[tuple[str, ...], Any]:
    """Returns the columns of a file, and their pyarrow schema; None if the file states no types.

    Args:
        path: The file; "-" is standard input, a table of one column.
        request: What is read of the file.

    Raises:
        DataError: The file is missing, damaged or a folder, or it lacks a column.
    """
    if os.path.isdir(path):
        raise DataError(f"{path}: expected a file, got a folder; name a file in it.")
    if str(path) == "-":
        return (request.form.text_column,), None
    # The notices come when the rows are read.
    with open_table(path, replace(request, notices=[])) as table:
        return table.columns, table.schema


@contextmanager
def open_rows(path: Path, request: Request) -> Iterator[FileRows]:
    """Opens a file for its rows.

    Args:
        path: The file.
        request: What is read of the file, all of whose columns are kept.

    Raises:
        DataError: The file is damaged, or lacks a column.
    """
    with open_table(path, request) as table:
        row_of = table.picker(request).row
        empty = [ABSENT] * len(table.columns)
        rows = (KeptRow(row_of(record), record.cells or empty) for record in table.records())
        yield FileRows(table.columns, rows)


def arranged_rows(file: FileRows, columns: Sequence[str]) -> Iterator[KeptRow]:
    """Yields the rows of a file with their cells in the order of common columns.

    Args:
        file: The file.
        columns: The common columns; a row has `ABSENT` in those that its file lacks.
    """
    place = {key: place for place, key in enumerate(_keys(file.columns))}
    places = [place.get(key) for key in _keys(columns)]
    if places == list(range(len(file.columns))):
        yield from file.rows
        return
    for kept in file.rows:
        yield KeptRow(kept.row, [ABSENT if p is None else kept.cells[p] for p in places])


def common_columns(headers: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """Returns all columns that one of several files has, in the order of their first occurrence.

    >>> common_columns([["id", "text"], ["text", "more", "text"]])
    ('id', 'text', 'more', 'text')
    """
    return tuple(name for name, _ in dict.fromkeys(key for own in headers for key in _keys(own)))


def common_schema(files: Sequence[Path], schemas: Sequence[Any]) -> Any:
    """Returns the pyarrow schema of the columns of several files; None if a file states no types.

    Args:
        files: The files.
        schemas: The schema of each of them, or None.

    Raises:
        DataError: A column has several types.
    """
    if not schemas or any(schema is None for schema in schemas):
        return None
    import pyarrow

    try:
        common = pyarrow.unify_schemas([schema.remove_metadata() for schema in schemas])
    except pyarrow.ArrowException as error:
        raise DataError(
            f"{files[0]}: expected files whose columns have the same types, got different ones "
            f"({str(error).splitlines()[0]}); read each file on its own."
        ) from None
    # A file may lack a column that another one declares to be without null.
    return pyarrow.schema([column.with_nullable(True) for column in common])


def _keys(columns: Sequence[str]) -> list[ColumnKey]:
    """Returns a key for each column; columns of one name have different keys."""
    seen: Counter[str] = Counter()
    keys = []
    for name in columns:
        keys.append((name, seen[name]))
        seen[name] += 1
    return keys
