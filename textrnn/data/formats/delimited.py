"""Tables with delimited columns (.csv, .tsv), in the forms that people and programs write.

The delimiter is the one with which the header has the requested columns, unless the user names one
or the file does (Excel's first line `sep=;`). Rows follow RFC 4180: a cell that begins with a quote
ends with the next single quote, and may contain delimiters and line ends.

Many files break that rule, because a text simply begins with a quote. By the rule, its cell would
contain all lines up to the next quote. There are two signs of this. Either the cell does not end as
the rule requires; or, in a file whose other cells show no quoting, several of the lines in the cell
are rows themselves, with as many columns as the header and with a label that other rows have. The
first line is then read literally, including the quote, and the notices count it.

Source: RFC 4180, "Common Format and MIME Type for Comma-Separated Values (CSV) Files".
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from textrnn.data.columns import Column, Record
from textrnn.data.delimiters import HEAD_LINES, find_delimiter, header_names
from textrnn.data.encodings import encoding_remedy
from textrnn.data.formats.table import Request, Table, got_names, missing_name
from textrnn.data.lines import NumberedLines
from textrnn.data.opening import open_text
from textrnn.data.table_lines import LineSplitter
from textrnn.data.table_notices import LineCounts, Unusual
from textrnn.errors import DataError
from textrnn.messages.wording import quoted

__all__ = ["open_delimited", "read_table"]

_FEW_ROWS = 50
"""Up to this many rows, a label counts as known if it occurs once; later, if it occurs twice."""

_NUL = "expected text, got a NUL byte; check the `encoding`"
"""The problem of a row."""

_COLUMNS_UNLIKE_PROSE = 4
"""Lines of prose rarely have as many commas by chance as a row with this many columns."""


@contextmanager
def open_delimited(path: Path, request: Request) -> Iterator[Table]:
    """Opens a table with delimited columns.

    Args:
        path: The file.
        request: The columns that the header must have.

    Raises:
        DataError: There is no header, or it lacks a column, or the file is damaged.
        ConfigError: The encoding is unknown.
    """
    with open_text(path, request.form.encoding, newline="") as lines:
        yield read_table(lines, path, request=request)


def read_table(lines: Iterable[str], path: Path, *, request: Request) -> Table:
    """Reads the header of a table.

    Args:
        lines: The lines with their ends, as `open(newline="")` returns them.
        path: The file, for messages.
        request: The columns that the header must have.

    Raises:
        DataError: There is no header, or it lacks a column.
    """
    csv.field_size_limit(2**31 - 1)
    reader = _TableReader(NumberedLines(lines), path, request=request)
    return Table(tuple(reader.header), reader.records)


class _TableReader:
    """The state of reading one table; see `read_table`."""

    def __init__(self, lines: NumberedLines, path: Path, *, request: Request) -> None:
        self._lines, self._path, self._notices = lines, path, request.notices
        self._label = request.form.labels[0].name
        self._encoding = request.form.encoding
        delimiter = find_delimiter(
            lines,
            path,
            given=request.form.delimiter,
            columns=request.columns,
            notices=request.notices,
        )
        self._split = LineSplitter(delimiter)
        self._counts = LineCounts(path)
        self._label_index: int | None = None
        self._labels: Counter[str] = Counter()
        self._rows = 0
        # Whether a cell so far needs its quotes, so that the writer of the file knows quoting.
        self._uses_quotes = False
        self._reader = csv.reader(lines, delimiter=delimiter, strict=True)
        self.header = self._read_header()
        for column in request.columns:
            self._check_column(column)

    def records(self) -> Iterator[Record]:
        self._learn_labels()
        while True:
            line = self._lines.number + 1
            self._lines.begin_row()
            try:
                cells = next(self._reader)
            except StopIteration:
                break
            except csv.Error as error:
                yield self._recover(line, error)
                continue
            if cells:
                yield from self._read_row(cells, line)
            else:
                self._counts.add(Unusual.BLANK, line=line)
        self._notices += self._counts.notices()

    def _read_row(self, cells: list[str], line: int) -> Iterator[Record]:
        """Yields the row, or nothing for a repeated header."""
        cells = self._repair_quotes(cells, line)
        taken = len(self._lines.taken)
        if len(cells) > len(self.header) and not any(cells[len(self.header) :]):
            cells = cells[: len(self.header)]
            self._counts.add(Unusual.EMPTY_CELLS, line=line)
        origin = self._origin(line, taken)
        if self._repeats_header(cells, origin):
            self._counts.add(Unusual.HEADER, line=line)
        elif any("\0" in cell for cell in cells):
            yield Record(origin, problem=_NUL, lines=taken)
        elif len(cells) == len(self.header):
            if taken == 1 and self._label_index is not None:
                self._rows += 1
                self._labels[cells[self._label_index]] += 1
            yield self._pick(cells, line, taken)
        else:
            spaced = self._split.spaced_quotes(self._lines.taken[0]) if taken == 1 else []
            if len(spaced) == len(self.header):
                self._counts.add(Unusual.SPACED_QUOTES, line=line)
                yield self._pick(spaced, line, 1)
                return
            problem = (
                f"expected {len(self.header)} columns, got {len(cells)}; put cells that contain "
                "the delimiter in quotes"
            )
            yield Record(origin, problem=problem, lines=taken)

    def _repair_quotes(self, cells: list[str], line: int) -> list[str]:
        """Returns only the cells of the first line if its quote encloses rows by mistake."""
        lines = self._lines.taken
        self._uses_quotes = self._uses_quotes or self._needs_quotes(cells)
        if len(lines) == 1:
            return cells
        if not self._uses_quotes and self._encloses_rows():
            self._lines.push_back(len(lines) - 1)
            self._counts.add(Unusual.STRAY_QUOTE, line=line)
            return self._split.literal(self._lines.taken[0])
        if sum(map(self._has_columns, lines)) > 1:
            self._counts.add(Unusual.LONG_CELL, line=line)
        return cells

    def _repeats_header(self, cells: list[str], origin: str) -> bool:
        if len(cells) < 2 or cells[0].strip() not in self.header:
            return False
        names = header_names(cells)
        if names != self.header and sorted(names) == sorted(self.header):
            raise DataError(
                f"{origin}: expected rows, got a second header with its columns in another order "
                f"than in the first ({quoted(cells)}); save each table as a separate file, or "
                "bring their columns into one order."
            )
        return names == self.header

    def _pick(self, cells: list[str], line: int, lines: int) -> Record:
        return Record(self._origin(line, 1), cells, lines=lines)

    def _recover(self, line: int, error: csv.Error) -> Record:
        """Reads the line whose cell ends against the rule; literally, if that gives a row."""
        taken = len(self._lines.taken)
        if self._took_nul():
            return Record(self._origin(line, taken), problem=_NUL, lines=taken)
        self._lines.push_back(len(self._lines.taken) - 1)
        first = self._lines.taken[0]
        # The literal reading of a quoted cell would keep its backslashes.
        readings = {
            Unusual.BACKSLASHES: self._split.backslashes(first),
            Unusual.STRAY_QUOTE: self._split.literal(first),
        }
        for kind, cells in readings.items():
            if self._is_row(cells) and "\0" not in first:
                self._counts.add(kind, line=line)
                return self._pick(cells, line, 1)
        lines = 1 + self._skip_to_row()
        reason = "a quote that never closes" if "end of data" in str(error) else str(error)
        problem = (
            f'expected CSV, got {reason}; write a quote within a text as "" and close each quote'
        )
        return Record(self._origin(line, lines), problem=problem, lines=lines)

    def _skip_to_row(self) -> int:
        """Skips the rest of a broken row; returns the number of lines."""
        skipped = 0
        for line in self._lines:
            if "\0" in line or self._is_row(self._split.standard(line)):
                self._lines.push_back(1)
                break
            skipped += 1
        return skipped

    def _encloses_rows(self) -> bool:
        """Returns whether the lines of this row are several rows that a quote joined by mistake."""
        lines = self._lines.taken
        if self._label_index is not None:
            return sum(self._is_row(self._split.literal(line)) for line in lines) > 1
        prose = self._split.delimiter == "," and len(self.header) < _COLUMNS_UNLIKE_PROSE
        return len(self.header) > 1 and not prose and all(map(self._has_columns, lines))

    def _needs_quotes(self, cells: list[str]) -> bool:
        """Returns whether this line has the right columns only because of its quotes."""
        return (
            len(self._lines.taken) == 1
            and len(cells) == len(self.header)
            and '"' in self._lines.taken[0]
            and (not self._has_columns(self._lines.taken[0]) or '""' in self._lines.taken[0])
        )

    def _has_columns(self, line: str) -> bool:
        return len(self.header) > 1 and len(self._split.literal(line)) == len(self.header)

    def _is_row(self, cells: list[str]) -> bool:
        if len(cells) != len(self.header):
            return False
        if self._label_index is None:
            return True
        enough = 1 if self._rows <= _FEW_ROWS else 2
        return self._labels[cells[self._label_index]] >= enough

    def _learn_labels(self) -> None:
        """Counts the labels of the first rows, which are needed to recognise a row."""
        if self.header.count(self._label) != 1:
            return
        self._label_index = self.header.index(self._label)
        head = NumberedLines(self._lines.head(HEAD_LINES))
        reader = csv.reader(head, delimiter=self._split.delimiter, strict=True)
        while True:
            head.begin_row()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:
                head.push_back(len(head.taken) - 1)
                continue
            if len(cells) == len(self.header) and len(head.taken) == 1:
                self._labels[cells[self._label_index]] += 1
                literal = self._split.literal(head.taken[0])
                self._uses_quotes = self._uses_quotes or len(literal) != len(cells)

    def _read_header(self) -> list[str]:
        self._lines.begin_row()
        try:
            cells = next(filter(None, self._reader), None)
        except csv.Error as error:
            if self._took_nul():
                raise self._nul_in_header() from None
            raise DataError(
                f"{self._path}:1: expected CSV, got {error} in the header; write a quote within a "
                'name as "".'
            ) from None
        if cells is None:
            raise DataError(
                f"{self._path}: expected a header row, got an empty file; check the file."
            )
        if "\0" in "".join(cells):
            raise self._nul_in_header()
        self._header_line = self._lines.number
        return header_names(cells)

    def _took_nul(self) -> bool:
        """Returns whether the lines of this row hold a NUL, which csv of Python 3.10 refuses."""
        return any("\0" in line for line in self._lines.taken)

    def _nul_in_header(self) -> DataError:
        return DataError(
            f"{self._path}:{self._lines.number}: expected {self._encoding} text, got NUL bytes "
            f"in the header; {encoding_remedy(str(self._path), encoding=self._encoding)}."
        )

    def _check_column(self, column: Column) -> None:
        names = column.names_in(self.header)
        if names and all(self.header.count(name) == 1 for name in names):
            return
        if any("\udc80" <= character <= "\udcff" for character in "".join(self.header)):
            raise DataError(
                f"{self._path}:{self._header_line}: expected {self._encoding} text in the header, "
                f"got other bytes; {encoding_remedy(str(self._path), encoding=self._encoding)}."
            )
        missing = missing_name(column, self.header)
        several = ", `label_columns` for one column of 0 and 1 per label"
        raise DataError(
            f"{self._path}:{self._header_line}: expected one column named "
            f"{missing!r} in the header, got {got_names(missing, self.header)}; set "
            f"`{column.setting}`{several if column.setting == 'label_column' else ''}, `delimiter` "
            "or `encoding`, or add a header row."
        )

    def _origin(self, line: int, lines: int) -> str:
        return f"{self._path}:{line}" + (f"-{line + lines - 1}" if lines > 1 else "")
