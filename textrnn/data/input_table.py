"""A table whose rows are read with all their columns, to write answers beside them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from textrnn.data.file_format import FileFormat
from textrnn.data.formats.table import Request
from textrnn.data.kept_rows import (
    KeptRow,
    arranged_rows,
    common_columns,
    common_schema,
    open_rows,
    read_header,
)
from textrnn.data.paths import input_files
from textrnn.data.stores import open_binary
from textrnn.errors import DataError
from textrnn.runtime.blocks import blocks

__all__ = ["InputTable"]

_READ_BYTES = 1 << 20


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
        headers = [read_header(path, self._request) for path in self.files]
        self.columns = common_columns([columns for columns, _ in headers])
        self.schema = common_schema(self.files, [schema for _, schema in headers])

    def rows(self) -> Iterator[KeptRow]:
        """Yields all rows, in order.

        Raises:
            DataError: A file is damaged.
        """
        for path in self.files:
            yield from self.file_rows(path)

    def file_rows(self, path: Path) -> Iterator[KeptRow]:
        """Yields the rows of one of the files, in order; see `rows`."""
        request = replace(self._request, known=self.columns)
        with open_rows(path, request) as file:
            yield from arranged_rows(file, self.columns)

    def parts(self, size: int) -> Iterator[list[KeptRow]]:
        """Yields all rows in lists of `size`; the last one of each file may be shorter.

        A text is answered together with those of its part, which round differently in the last
        digit. As a part has rows of one file alone, its answers do not depend on the other files.

        Raises:
            DataError: A file is damaged.
        """
        for path in self.files:
            yield from blocks(self.file_rows(path), size)

    def digest(self) -> str:
        """Returns the SHA-256 digest of the contents of the files.

        Raises:
            DataError: A file cannot be read.
        """
        digest = hashlib.sha256()
        for path in self.files:
            content = hashlib.sha256()
            try:
                with open_binary(path) as file:
                    while block := file.read(_READ_BYTES):
                        content.update(block)
            except OSError as error:
                raise DataError(
                    f"{path}: expected a readable file, got: {error.strerror}; check its "
                    "permissions."
                ) from None
            digest.update(content.digest())
        return digest.hexdigest()
