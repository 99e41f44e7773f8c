"""Tables of delimited columns (.csv, .tsv), read as people and programs really write them.

The separator is the one under which the header holds the columns that are asked for, unless the
user names one or the file does (Excel's first line `sep=;`). Rows follow RFC 4180: a field that
begins with a quote ends with the next single quote, and may hold separators and line ends.

Many files break that rule: a text simply begins with a quote. By the rule its field would swallow
all lines up to the next quote. Two signs give it away: the field does not end as the rule wants;
or, in a file that shows no sign of quoting elsewhere, several of the swallowed lines are rows
themselves, with as many columns as the header and with a label that other rows have. Such a line
is then read as it stands, quote and all, and the notices count it.

Source: RFC 4180, "Common Format and MIME Type for Comma-Separated Values (CSV) Files".
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from textrnn.data.delimiters import HEAD_LINES, Column, find_delimiter, header_names
from textrnn.data.lines import Lines
from textrnn.data.rows import Record
from textrnn.errors import DataError

__all__ = ["names_shown", "read_table"]

_FEW_ROWS = 50
"""Up to so many rows a label counts as known when it stands once, then when it stands twice."""
_CELLS_OF_PROSE = 4
"""From so many columns on, lines of prose do not have as many commas as a row by chance."""


def names_shown(names: Iterable[str]) -> str:
    """Names in quotes, so that line ends, NUL bytes and surrogates do no harm to a message."""
    return ", ".join(repr(name[:30]) for name in names) or "none"


def read_table(
    lines: Iterable[str],
    path: Path,
    *,
    delimiter: str | None,
    columns: Sequence[Column],
    label: Column | None,
    notices: list[str],
) -> Iterator[Record]:
    """Reads the rows of a table.

    Args:
        lines: The lines with their ends, as `open(newline="")` gives them.
        path: Where they come from.
        delimiter: The separator; None: found from the header.
        columns: The columns whose cells become the record's text (the first) and label: one
            string, or a dictionary by column names where there are several.
        label: The column whose values tell a row from a line of prose; the table may lack it.
        notices: Receives a sentence for everything that was not an ordinary row.

    Raises:
        DataError: There is no header, or it lacks a column.
    """
    csv.field_size_limit(2**31 - 1)
    yield from _Table(Lines(lines), path, delimiter, columns, label, notices).records()


class _Table:
    """One table while it is read; see `read_table`."""

    def __init__(
        self,
        lines: Lines,
        path: Path,
        delimiter: str | None,
        columns: Sequence[Column],
        label: Column | None,
        notices: list[str],
    ) -> None:
        self._lines, self._path, self._notices = lines, path, notices
        self._columns, self._label_column = columns, label
        self._label: int | None = None
        self._delimiter = find_delimiter(
            lines, path, given=delimiter, columns=columns, notices=notices
        )
        self._labels: Counter[str] = Counter()
        self._rows = 0
        self._quotes = False  # Whether some field needs its quotes: the file's writer knows them.
        self._counts: Counter[str] = Counter()
        self._first: dict[str, int] = {}

    def records(self) -> Iterator[Record]:
        reader = csv.reader(self._lines, delimiter=self._delimiter, strict=True)
        self._header = self._read_header(reader)
        self._names = frozenset(self._header)
        self._picks = [self._place(column) for column in self._columns]
        self._learn_labels()
        while True:
            line = self._lines.number + 1
            self._lines.begin_record()
            try:
                row = next(reader)
            except StopIteration:
                break
            except csv.Error as error:
                yield self._recover(line, error)
                continue
            if row:
                yield from self._record(row, line)
            else:
                self._count("blank", line)
        self._report()

    def _record(self, row: list[str], line: int) -> Iterator[Record]:
        taken = len(self._lines.taken)
        self._quotes = self._quotes or self._needs_quotes(row)
        if taken > 1 and not self._quotes and self._swallowed():
            self._lines.give_back(taken - 1)
            row, taken = self._as_it_stands(self._lines.taken[0]), 1
            self._count("stray", line)
        elif taken > 1 and sum(map(self._has_columns, self._lines.taken)) > 1:
            self._count("long", line)
        if len(row) > len(self._header) and not any(row[len(self._header) :]):
            row = row[: len(self._header)]
            self._count("longer", line)
        origin = self._origin(line, taken)
        again = len(row) > 1 and row[0].strip() in self._names
        if again and header_names(row) == self._header:
            self._count("header", line)
        elif again and sorted(header_names(row)) == sorted(self._header):
            raise DataError(
                f"{origin}: expected rows, got a second header whose columns stand in another "
                f"order than in the first ({names_shown(row)}); give each table as a file of its "
                "own, or bring their columns into one order."
            )
        elif any("\0" in field for field in row):
            problem = "expected text, got a NUL byte; check the --encoding"
            yield Record(origin, problem=problem, lines=taken)
        elif len(row) != len(self._header):
            spaced = self._without_spaces(self._lines.taken[0]) if taken == 1 else []
            if len(spaced) == len(self._header):
                self._count("spaced", line)
                yield self._picked(spaced, line, 1)
                return
            problem = (
                f"expected {len(self._header)} columns, got {len(row)}; put fields that hold the "
                "separator in quotes"
            )
            yield Record(origin, problem=problem, lines=taken)
        else:
            if taken == 1 and self._label is not None:
                self._rows += 1
                self._labels[row[self._label]] += 1
            yield self._picked(row, line, taken)

    def _picked(self, row: list[str], line: int, lines: int) -> Record:
        cells = [row[pick] for pick in self._picks]
        label: object = None
        if len(cells) == 2:
            label = cells[1]
        elif len(cells) > 2:
            label = {c.name: cell for c, cell in zip(self._columns[1:], cells[1:], strict=True)}
        return Record(self._origin(line, 1), cells[0], label, lines=lines)

    def _recover(self, line: int, error: csv.Error) -> Record:
        """Reads the line at which a field does not end as it should, as it stands if that works."""
        self._lines.give_back(len(self._lines.taken) - 1)
        first = self._lines.taken[0]
        readings = {"stray": self._as_it_stands(first), "escaped": self._unescaped(first)}
        for what, row in readings.items():
            if self._is_row(row) and "\0" not in first:
                self._count(what, line)
                return self._picked(row, line, 1)
        lines = 1 + self._skip_to_row()
        reason = "a quote that never closes" if "end of data" in str(error) else str(error)
        problem = (
            f'expected CSV, got {reason}; write a quote within a text as "" and close each quote'
        )
        return Record(self._origin(line, lines), problem=problem, lines=lines)

    def _skip_to_row(self) -> int:
        """Passes over what is left of a broken record; gives the number of lines."""
        skipped = 0
        for line in self._lines:
            if self._is_row(self._alone(line)):
                self._lines.give_back(1)
                break
            skipped += 1
        return skipped

    def _swallowed(self) -> bool:
        """Whether a record of several lines is several rows, made one by a quote."""
        lines = self._lines.taken
        if self._label is not None:
            return sum(self._is_row(self._as_it_stands(line)) for line in lines) > 1
        prose = self._delimiter == "," and len(self._header) < _CELLS_OF_PROSE
        return len(self._header) > 1 and not prose and all(map(self._has_columns, lines))

    def _needs_quotes(self, row: list[str]) -> bool:
        """Whether a record of one line is a row by its quotes alone."""
        return (
            len(self._lines.taken) == 1
            and len(row) == len(self._header)
            and '"' in self._lines.taken[0]
            and (not self._has_columns(self._lines.taken[0]) or '""' in self._lines.taken[0])
        )

    def _has_columns(self, line: str) -> bool:
        return len(self._header) > 1 and len(self._as_it_stands(line)) == len(self._header)

    def _is_row(self, row: list[str]) -> bool:
        if len(row) != len(self._header):
            return False
        if self._label is None:
            return True
        enough = 1 if self._rows <= _FEW_ROWS else 2
        return self._labels[row[self._label]] >= enough

    def _as_it_stands(self, line: str) -> list[str]:
        """The fields of a line, a quote being a character like any other."""
        reader = csv.reader([line], delimiter=self._delimiter, quoting=csv.QUOTE_NONE)
        return [_unquoted(field) for field in next(reader, [])]

    def _unescaped(self, line: str) -> list[str]:
        """The fields of a line in which backslashes stand before quotes, as databases write it."""
        reader = csv.reader(
            [line], delimiter=self._delimiter, strict=True, doublequote=False, escapechar="\\"
        )
        try:
            return next(reader, [])
        except csv.Error:
            return []

    def _without_spaces(self, line: str) -> list[str]:
        """The fields of a line in which a space stands before quotes, if some are quoted so."""
        if f'{self._delimiter} "' not in line:
            return []
        reader = csv.reader([line], delimiter=self._delimiter, strict=True, skipinitialspace=True)
        try:
            return next(reader, [])
        except csv.Error:
            return []

    def _alone(self, line: str) -> list[str]:
        """The fields of a line as a record of its own."""
        try:
            return next(csv.reader([line], delimiter=self._delimiter, strict=True), [])
        except csv.Error:
            return self._as_it_stands(line)

    def _learn_labels(self) -> None:
        """Counts the labels of the first rows: what a row looks like must be known before it."""
        label = self._label_column
        if label is None or self._header.count(label.name) != 1:
            return
        self._label = self._header.index(label.name)
        head = Lines(self._lines.head(HEAD_LINES))
        reader = csv.reader(head, delimiter=self._delimiter, strict=True)
        while True:
            head.begin_record()
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error:
                head.give_back(len(head.taken) - 1)
                continue
            if len(row) == len(self._header) and len(head.taken) == 1:
                self._labels[row[self._label]] += 1
                raw = self._as_it_stands(head.taken[0])
                self._quotes = self._quotes or len(raw) != len(row)

    def _read_header(self, reader: Iterator[list[str]]) -> list[str]:
        self._lines.begin_record()
        try:
            row = next(filter(None, reader), None)
        except csv.Error as error:
            raise DataError(
                f"{self._path}:1: expected CSV, got {error} in the header; write a quote within a "
                'name as "".'
            ) from None
        if row is not None and "\0" in "".join(row):
            raise DataError(
                f"{self._path}:{self._lines.number}: expected text, got NUL bytes in the header; "
                "pass --encoding utf-16, or save the file as UTF-8."
            )
        if row is None:
            raise DataError(
                f"{self._path}: expected a header row, got an empty file; check the file."
            )
        self._header_line = self._lines.number
        return header_names(row)

    def _place(self, column: Column) -> int:
        if self._header.count(column.name) == 1:
            return self._header.index(column.name)
        flags = ", --label-columns for one column of 0 and 1 a label"
        raise DataError(
            f"{self._path}:{self._header_line}: expected one column named {column.name!r} in the "
            f"header, got {names_shown(self._header)}; pass "
            f"{column.option}{flags if column.option == '--label-column' else ''}, --delimiter or "
            "--encoding, or add a header row."
        )

    def _origin(self, line: int, lines: int) -> str:
        return f"{self._path}:{line}" + (f"-{line + lines - 1}" if lines > 1 else "")

    def _count(self, what: str, line: int) -> None:
        self._counts[what] += 1
        self._first.setdefault(what, line)

    def _report(self) -> None:
        sentences = {
            "stray": "{n} {lines} with a quote that encloses no field read as {they} (the first: "
            "{first}).",
            "escaped": "{n} {lines} with backslashes before quotes read without them (the first: "
            "{first}).",
            "spaced": "{n} {lines} with a space before quotes read without it (the first: "
            "{first}).",
            "long": "{n} {rows} of several lines, some of which look like rows themselves, read as "
            "one text each (the first: {first}); if a quote opens there by mistake, write it "
            'twice, between quotes: """.',
            "longer": "{n} {rows} with empty cells behind the last column read without them (the "
            "first: {first}).",
            "header": "{n} {rows} left out, equal to the header (the first: {first}).",
            "blank": "{n} blank {lines} passed over (the first: {first}).",
        }
        for what, sentence in sentences.items():
            count = self._counts[what]
            if count:
                told = sentence.format(
                    n=count,
                    lines="line" if count == 1 else "lines",
                    rows="row" if count == 1 else "rows",
                    they="it stands" if count == 1 else "they stand",
                    first=f"{self._path}:{self._first[what]}",
                )
                self._notices.append(f"{self._path}: {told}")


def _unquoted(field: str) -> str:
    if len(field) > 1 and field[0] == field[-1] == '"':
        return field[1:-1].replace('""', '"')
    return field
