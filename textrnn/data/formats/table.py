"""A table that is open for reading: the interface of all formats of files with columns."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from textrnn.data.columns import Column, Record, RowPicker
from textrnn.data.file_format import FileFormat
from textrnn.data.rows import Row
from textrnn.errors import DataError
from textrnn.messages.wording import quoted

__all__ = [
    "LABELLED_FILES",
    "TABLE_FILES",
    "Opener",
    "Request",
    "Table",
    "check_columns",
    "got_names",
    "missing_name",
]

TABLE_FILES = "a .csv, .tsv or .jsonl file (or .gz), a .parquet, .arrow, .feather or .xlsx file"
LABELLED_FILES = f"{TABLE_FILES}, fastText lines (.txt) or a folder with one sub-folder per class"
"""What is expected where a file is of another kind, for messages."""


@dataclass(frozen=True)
class Request:
    """What a caller wants to know of a table.

    Attributes:
        form: The format of the file.
        labelled: Whether rows have labels; if not, only texts are read.
        keep: Whether all columns are read.
        known: With `keep`, the names of all columns if the caller knows them, so that a file whose
            rows have different columns is not searched for them.
        rows: The places of the rows that are read of a Parquet file; None: all rows.
        notices: Receives a sentence for each kind of row that is unusual or left out, after the
            last row has been read.
    """

    form: FileFormat
    labelled: bool = True
    keep: bool = False
    known: tuple[str, ...] = ()
    rows: range | None = None
    notices: list[str] = field(default_factory=list)

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that are read: that of the text, then those of the labels and the others."""
        others = (*self.form.labels, *self.form.other_columns) if self.labelled else ()
        return (self.form.text, *others)


@dataclass(frozen=True)
class Table:
    """An open table.

    >>> table = Table(("text",), lambda: iter([Record("a.csv:2", ["good"])]))
    >>> [row.text for row in table.rows(Request(FileFormat(), labelled=False))]
    ['good']

    Attributes:
        columns: The names of the columns that are read, in the order of the file.
        records: Returns an iterator over the records; it is called once.
        class_names: The names of the classes that the integers of a column stand for, by the name
            of the column.
        numbers_are_text: Whether a number in a column of texts stands for its digits, because the
            program that wrote the file chose its type.
        schema: The pyarrow schema of the columns; None if the file states no types.
    """

    columns: tuple[str, ...]
    records: Callable[[], Iterator[Record]]
    class_names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    numbers_are_text: bool = False
    schema: Any = None

    def picker(self, request: Request) -> RowPicker:
        """Returns what makes a row of each record."""
        return RowPicker(
            request.columns,
            self.columns,
            join=request.form.text_join,
            class_names=self.class_names,
            numbers_are_text=self.numbers_are_text,
        )

    def rows(self, request: Request) -> Iterator[Row]:
        """Yields a `Row` for each record.

        Raises:
            DataError: The file is damaged.
        """
        return map(self.picker(request).row, self.records())


Opener = Callable[[Path, Request], AbstractContextManager[Table]]
"""Opens a file of one format; raises DataError if it is damaged or lacks a column."""


def check_columns(header: Sequence[str], request: Request, *, path: Path) -> tuple[str, ...]:
    """Returns the names of the requested columns in a header.

    Args:
        header: The names of all columns.
        request: The columns that are requested.
        path: The file, for messages.

    Raises:
        DataError: A column is missing, or two columns have its name.
    """
    names: list[str] = []
    for column in request.columns:
        present = column.names_in(header)
        if not present or any(header.count(name) != 1 for name in present):
            raise DataError(
                f"{path}: expected one column named {missing_name(column, header)!r}, got "
                f"{got_names(missing_name(column, header), header)}; set `{column.setting}` or "
                "rename the column."
            )
        names += present
    return tuple(dict.fromkeys(names))


def missing_name(column: Column, header: Sequence[str]) -> str:
    """Returns the name that a header lacks, or has twice: the first of several names."""
    if column.name in header:
        return column.name
    return next((part for part in column.parts if header.count(part) != 1), column.name)


def got_names(name: str, header: Iterable[str]) -> str:
    """Returns the names of the columns for a message, and which of them may have been meant.

    >>> got_names("body", ["Body", "label"])
    "'Body', 'label' (did you mean 'Body'?)"

    Args:
        name: The name that was expected.
        header: The names of all columns.
    """
    names = list(header)
    folded = {other.casefold(): other for other in reversed(names) if other != name}
    close = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.8)
    meant = f" (did you mean {folded[close[0]]!r}?)" if close else ""
    return f"{quoted(names)}{meant}"
