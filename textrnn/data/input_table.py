"""A table whose rows are read with all their columns, to write answers beside them."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from textrnn.data.columns import ABSENT
from textrnn.data.file_format import FileFormat
from textrnn.data.formats.table import Request
from textrnn.data.paths import input_files
from textrnn.data.rows import Row
from textrnn.data.text_files import open_table
from textrnn.errors import DataError

__all__ = ["InputTable", "KeptRow"]

_READ_BYTES = 1 << 20

ColumnKey = tuple[str, int]
"""The name of a column, and the number of earlier columns with this name in its file."""


class KeptRow(NamedTuple):
    """A row with all its cells.

    Attributes:
        row: The text and the label, or the problem.
        cells: One cell for each column of the table; `ABSENT` where the row has none.
    """

    row: Row
    cells: Sequence[object]


class InputTable:
    """The rows of one or several files with all their columns, in constant memory.

    Several files have all columns that one of them has, in the order of their first occurrence.

    Args:
        value: The files; see `input_files`. "-" is standard input, a table of one column.
        form: The format.
        labelled: Whether the rows have labels.
        split: The split that is read of a folder of splits.

    Attributes:
        encoding: The encoding of the files that are texts.
        columns: The names of all columns; names may occur twice in a .csv file.
        schema: The pyarrow schema of the columns; None if the files state no types.
        notices: Receives a sentence for each kind of row that is unusual, when all rows are read.

    Raises:
        DataError: A file is missing, damaged or a folder, or it lacks a column.
    """

    def __init__(
        self,
        value: str | Path,
        form: FileFormat,
        *,
        labelled: bool = False,
        split: str | None = None,
    ) -> None:
        self.files = input_files(value, split=split)
        self.notices: list[str] = []
        self.encoding = form.encoding
        self._request = Request(form, labelled=labelled, keep=True, notices=self.notices)
        keys: dict[ColumnKey, None] = {}
        schemas = []
        for path in self.files:
            columns, schema = self._header(path)
            keys.update(dict.fromkeys(_keys(columns)))
            schemas.append(schema)
        self._keys = tuple(keys)
        self.columns = tuple(name for name, _ in keys)
        self.schema = self._common_schema(schemas)

    def _header(self, path: Path) -> tuple[tuple[str, ...], Any]:
        if os.path.isdir(path):
            raise DataError(f"{path}: expected a file, got a folder; name a file in it.")
        if str(path) == "-":
            return (self._request.form.text_column,), None
        # The notices come when the rows are read.
        with open_table(path, replace(self._request, notices=[])) as table:
            return table.columns, table.schema

    def _common_schema(self, schemas: Sequence[Any]) -> Any:
        if not schemas or any(schema is None for schema in schemas):
            return None
        import pyarrow

        try:
            common = pyarrow.unify_schemas([schema.remove_metadata() for schema in schemas])
        except pyarrow.ArrowException as error:
            raise DataError(
                f"{self.files[0]}: expected files whose columns have the same types, got "
                f"different ones ({str(error).splitlines()[0]}); read each file on its own."
            ) from None
        # A file may lack a column that another one declares to be without null.
        return pyarrow.schema([column.with_nullable(True) for column in common])

    def rows(self) -> Iterator[KeptRow]:
        """Yields all rows, in order.

        Raises:
            DataError: A file is damaged.
        """
        for path in self.files:
            request = replace(self._request, known=self.columns)
            with open_table(path, request) as table:
                row_of = table.picker(request).row
                place = {key: place for place, key in enumerate(_keys(table.columns))}
                places = [place.get(key) for key in self._keys]
                same = places == list(range(len(table.columns)))
                for record in table.records():
                    cells: Sequence[object] = record.cells or [ABSENT] * len(table.columns)
                    if not same:
                        cells = [ABSENT if p is None else cells[p] for p in places]
                    yield KeptRow(row_of(record), cells)

    def digest(self) -> str:
        """Returns the SHA-256 digest of the contents of the files.

        Raises:
            DataError: A file cannot be read.
        """
        digest = hashlib.sha256()
        for path in self.files:
            content = hashlib.sha256()
            try:
                with path.open("rb") as file:
                    while block := file.read(_READ_BYTES):
                        content.update(block)
            except OSError as error:
                raise DataError(
                    f"{path}: expected a readable file, got: {error.strerror}; check its "
                    "permissions."
                ) from None
            digest.update(content.digest())
        return digest.hexdigest()


def _keys(columns: Sequence[str]) -> list[ColumnKey]:
    """Returns a key for each column; columns of one name have different keys."""
    seen: Counter[str] = Counter()
    keys = []
    for name in columns:
        keys.append((name, seen[name]))
        seen[name] += 1
    return keys
