"""Files as parts of successive rows, each of which a worker reads on its own.

The parts of a Parquet file are ranges of its rows. Any other file is cut into pieces (`cut_rows`)
while its rows are counted.
"""

from __future__ import annotations

import base64
import itertools
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast

from textrnn.data.column_types import MIXED_TYPES, add_kinds, schema_of_kinds
from textrnn.data.columns import ABSENT
from textrnn.data.cut_rows import cut_line, open_cut
from textrnn.data.file_format import FileFormat
from textrnn.data.formats.arrow import parquet_rows
from textrnn.data.formats.table import Request
from textrnn.data.kept_rows import (
    FileRows,
    KeptRow,
    arranged_rows,
    common_columns,
    common_schema,
    open_rows,
    read_header,
)
from textrnn.data.paths import kind
from textrnn.data.rows import Row
from textrnn.data.stores import Folder, as_path, stamp
from textrnn.errors import DataError
from textrnn.runtime.blocks import blocks

__all__ = [
    "UNIT_ROWS",
    "FileSurvey",
    "InputPart",
    "PartRows",
    "common_layout",
    "parts_of",
    "piece_name",
    "survey",
]

UNIT_ROWS = 65_536
"""The most rows of a part: a multiple of the rows that are answered together."""

_CUT_FILES = frozenset({".csv", ".tsv", ".jsonl", ".ndjson", ".txt", ".ft", ".fasttext", ""})
"""The extensions of files whose cells are values of JSON."""


@dataclass(frozen=True)
class InputPart:
    """Successive rows of one file.

    Attributes:
        number: The place of the part among those of all files.
        file: The file.
        stamp: What changes with the content of the file.
        start: The number of rows of the file before it.
        rows: Its number of rows.
        columns: The columns of the file, whose rows are in a piece; None: they are in the file.
    """

    number: int
    file: str
    stamp: tuple[str, ...]
    start: int
    rows: int
    columns: tuple[str, ...] | None = None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> InputPart:
        """Returns a part from the values that `values` returns, which may come from JSON."""
        columns = values["columns"]
        tuples = {"stamp": tuple(values["stamp"]), "columns": columns and tuple(columns)}
        return cls(**{**values, **tuples})

    def values(self) -> dict[str, Any]:
        """Returns the part as plain values."""
        return asdict(self)


@dataclass(frozen=True)
class FileSurvey:
    """The rows and columns that were found in one file.

    Attributes:
        file: The file.
        stamp: What changes with the content of the file.
        rows: The number of its rows.
        columns: The names of its columns.
        schema: Their pyarrow schema, as the text of its bytes; None if the file states no types.
        kinds: The kinds of the values of each column of a file that is cut; see `add_kinds`.
        is_cut: Whether the rows are in pieces.
        notices: A sentence for each kind of row that is unusual.
    """

    file: str
    stamp: tuple[str, ...]
    rows: int
    columns: tuple[str, ...]
    schema: str | None = None
    kinds: tuple[tuple[str, ...], ...] = ()
    is_cut: bool = False
    notices: tuple[str, ...] = ()

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> FileSurvey:
        """Returns a survey from the values that `values` returns, which may come from JSON."""
        tuples = {name: tuple(values[name]) for name in ("stamp", "columns", "notices")}
        return cls(**{**values, **tuples, "kinds": tuple(map(tuple, values["kinds"]))})

    def values(self) -> dict[str, Any]:
        """Returns the survey as plain values."""
        return asdict(self)


def survey(
    path: Path, form: FileFormat, *, folder: Folder, place: str, unit_rows: int
) -> FileSurvey:
    """Counts the rows of a file; one that is no Parquet file is cut into pieces.

    Args:
        path: The file.
        form: The format.
        folder: The folder of the pieces.
        place: The name of the folder below it in which the pieces of this file are.
        unit_rows: The most rows of a piece.

    Raises:
        DataError: The file is missing, damaged, of another kind, or lacks a column.
        OSError: A piece cannot be written.
    """
    if kind(path) != ".parquet" and kind(path) not in _CUT_FILES:
        raise DataError(
            f"{path}: expected a .parquet, .csv, .tsv or .jsonl file, or one text per line, got "
            f"{kind(path)}; convert it, or leave out `cluster`."
        )
    notices: list[str] = []
    request = Request(form, labelled=False, keep=True, notices=notices)
    begun = tuple(stamp(path))
    columns, schema = read_header(path, request)
    if kind(path) == ".parquet":
        return FileSurvey(str(path), begun, parquet_rows(path), columns, _as_text(schema))
    kinds: list[set[str]] = [set() for _ in columns]
    with open_rows(path, replace(request, known=columns)) as file:
        count = _cut(_with_kinds(file.rows, kinds), folder, place, unit_rows=unit_rows)
    return FileSurvey(
        str(path),
        begun,
        count,
        columns,
        kinds=tuple(tuple(sorted(names)) for names in kinds),
        is_cut=True,
        notices=tuple(notices),
    )


def _with_kinds(rows: Iterator[KeptRow], kinds: list[set[str]]) -> Iterator[KeptRow]:
    """Yields the rows, and adds the kinds of their values."""
    for kept in rows:
        add_kinds(kinds, kept.cells)
        yield kept


def _cut(rows: Iterator[KeptRow], folder: Folder, place: str, *, unit_rows: int) -> int:
    """Writes rows into pieces; returns their number."""
    total = 0
    with tempfile.TemporaryDirectory() as scratch:
        piece = Path(scratch) / "piece"
        for number in itertools.count():
            count = 0
            with piece.open("wb") as lines:
                for kept in itertools.islice(rows, unit_rows):
                    lines.write(cut_line(kept))
                    count += 1
            if count or not number:
                folder.publish(piece, piece_name(place, number))
            total += count
            if count < unit_rows:
                return total
    return total


def piece_name(place: str, number: int) -> str:
    """Returns the name of a piece in the folder of the pieces."""
    return f"{place}/{number:06}.jsonl"


def parts_of(found: FileSurvey, *, first: int = 0, unit_rows: int) -> list[InputPart]:
    """Returns the parts of a file, in order; a file without rows has one part without rows.

    Args:
        found: What the file has.
        first: The number of the first part.
        unit_rows: The most rows of a part.
    """
    columns = found.columns if found.is_cut else None
    return [
        InputPart(
            first + place,
            found.file,
            found.stamp,
            start,
            min(unit_rows, found.rows - start),
            columns,
        )
        for place, start in enumerate(range(0, max(found.rows, 1), unit_rows))
    ]


def common_layout(surveys: Sequence[FileSurvey], *, typed: bool) -> tuple[tuple[str, ...], Any]:
    """Returns the columns of several files, and their pyarrow schema; None if it is unknown.

    Args:
        surveys: What the files have.
        typed: Whether types are found from the values of files that state none.

    Raises:
        DataError: A column has several types, or only some of the files state types.
    """
    columns = common_columns(found.columns for found in surveys)
    files = [as_path(found.file) for found in surveys]
    if len({found.is_cut for found in surveys}) > 1:
        raise DataError(
            f"{files[0]}: expected .parquet files alone or none of them, got both; label the files "
            "of each format by a job of their own."
        )
    if typed and any(kind(file) in MIXED_TYPES for file in files):
        return columns, schema_of_kinds(columns, _common_kinds(surveys, columns))
    return columns, common_schema(files, [_as_schema(found.schema) for found in surveys])


def _common_kinds(surveys: Sequence[FileSurvey], columns: Sequence[str]) -> list[set[str]]:
    """Returns the kinds of the values of each of the common columns."""
    kinds: list[set[str]] = [set() for _ in columns]
    for found in surveys:
        own = FileRows(found.columns, iter([KeptRow(Row(found.file), found.kinds)]))
        for row in arranged_rows(own, columns):
            for all_kinds, names in zip(kinds, row.cells, strict=True):
                all_kinds.update(() if names is ABSENT else cast(tuple[str, ...], names))
    return kinds


class PartRows:
    """The rows of a part with all columns of all files; see `InputTable`.

    Args:
        part: The part.
        form: The format of its file.
        columns: The names of all columns of all files.
        piece: The file of its rows if they are in a piece.

    Attributes:
        notices: Nothing; a survey has the notices.

    Raises:
        DataError: The file has changed since the survey.
    """

    def __init__(
        self, part: InputPart, form: FileFormat, *, columns: tuple[str, ...], piece: Path
    ) -> None:
        self.notices: list[str] = []
        self._part, self._columns, self._piece = part, columns, piece
        self._file = as_path(part.file)
        self._request = Request(
            form,
            labelled=False,
            keep=True,
            known=columns,
            rows=range(part.start, part.start + part.rows),
        )
        if part.columns is None and tuple(stamp(self._file)) != part.stamp:
            raise DataError(
                f"{part.file}: expected the file that the job began with, got another one of this "
                "name; restore it, or begin anew in another folder."
            )

    def parts(self, size: int) -> Iterator[list[KeptRow]]:
        """Yields all rows in lists of `size`; the last one may be shorter.

        Raises:
            DataError: The file is damaged, or has other rows than at the survey.
        """
        own, count = self._part.columns, 0
        opened = open_rows(self._file, self._request) if own is None else open_cut(self._piece, own)
        with opened as file:
            for rows in blocks(arranged_rows(file, self._columns), size):
                count += len(rows)
                yield rows
        if count != self._part.rows:
            raise DataError(
                f"{self._part.file}: expected {self._part.rows:,} rows from row "
                f"{self._part.start + 1:,} on, got {count:,}; begin anew in another folder."
            )


def _as_text(schema: Any) -> str:
    """Returns a pyarrow schema as the text of its bytes."""
    return base64.b64encode(schema.serialize().to_pybytes()).decode()


def _as_schema(text: str | None) -> Any:
    if text is None:
        return None
    import pyarrow

    return pyarrow.ipc.read_schema(pyarrow.py_buffer(base64.b64decode(text)))
