"""Writes Excel workbooks (.xlsx) by openpyxl; each part holds its rows as lines of JSON.

A workbook cannot be joined from parts of itself, so its only sheet is written at the end, row by
row and in constant memory.
"""

from __future__ import annotations

import datetime
import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

from textrnn.data.writers.values import as_text
from textrnn.data.writers.writer import Layout, valid_text
from textrnn.errors import DataError

__all__ = ["MAX_CHARACTERS", "MAX_COLUMNS", "MAX_ROWS", "ExcelWriter", "check_fits"]

MAX_ROWS = 1_048_576
"""The number of rows of a sheet, the header included."""
MAX_COLUMNS = 16_384
MAX_CHARACTERS = 32_767
"""The number of characters of a cell."""

_DIGITS = 15
"""Excel keeps so many significant digits of a number; an id of more digits would change."""
_FIRST_YEAR = 1901
"""Excel knows no earlier times, and takes 1900 for a leap year."""
_NOT_ALLOWED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""The characters that XML cannot hold."""
_OTHER_FORMATS = "write a .csv, .jsonl or .parquet file"


class ExcelWriter:
    """Writes a .xlsx file; see `TableWriter`.

    Numbers, booleans and times are cells of their type where Excel can hold them, and texts
    otherwise. A text that begins with = stays a text.

    >>> ExcelWriter(Layout(("text",), {"score": float})).part([["=1+1", 0.5]])
    b'["=1+1", 0.5]\\n'

    Args:
        layout: The columns.

    Raises:
        DataError: There are more columns than a sheet has, or openpyxl is missing.
    """

    def __init__(self, layout: Layout) -> None:
        _openpyxl()
        if len(layout.names) > MAX_COLUMNS:
            raise DataError(
                f"expected at most {MAX_COLUMNS:,} columns in a .xlsx file, got "
                f"{len(layout.names):,}; {_OTHER_FORMATS}."
            )
        self._names = layout.names
        self._rows = 0

    def part(self, rows: Sequence[Sequence[object]]) -> bytes:
        """Returns the cells of each row as a line of JSON.

        Raises:
            DataError: The sheet has no room for the rows, or a text is too long for a cell.
        """
        stored = [list(map(_stored, row)) for row in rows]
        check_fits(self._names, stored, rows_before=self._rows)
        self._rows += len(rows)
        return "".join(json.dumps(row) + "\n" for row in stored).encode()

    def join(self, parts: Iterable[Path], file: BinaryIO) -> None:
        """Writes the workbook.

        Raises:
            DataError: The sheet has no room for the rows.
        """
        workbook = _openpyxl().Workbook(write_only=True)
        sheet = workbook.create_sheet("answers")
        sheet.freeze_panes = "A2"
        try:
            sheet.append([_cell(sheet, name) for name in self._names])
            for number, line in enumerate(_lines(parts), start=2):
                if number > MAX_ROWS:
                    raise _too_many_rows()
                sheet.append([_cell(sheet, value) for value in json.loads(line)])
            workbook.save(file)
        except BaseException:
            with suppress(Exception):
                sheet.close()  # Otherwise its temporary file stays open.
            raise


def check_fits(
    names: Sequence[str], rows: Iterable[Sequence[object]], *, rows_before: int = 0
) -> None:
    """Checks whether the cells of some rows fit into a sheet below its header.

    Args:
        names: The names of the columns.
        rows: The cells of each row.
        rows_before: The number of rows that stand above them.

    Raises:
        DataError: The sheet has no room for the rows, or a text is too long for a cell.
    """
    for number, row in enumerate(rows, start=rows_before + 1):
        if number >= MAX_ROWS:
            raise _too_many_rows()
        for name, cell in zip(names, row, strict=False):
            if isinstance(cell, str) and len(cell) > MAX_CHARACTERS:
                raise DataError(
                    f"expected at most {MAX_CHARACTERS:,} characters in a cell of a .xlsx file, "
                    f"got {len(cell):,} in row {number} of the column {name!r}; {_OTHER_FORMATS}."
                )


def _too_many_rows() -> DataError:
    return DataError(
        f"expected at most {MAX_ROWS - 1:,} rows below the header of a .xlsx file, got more; "
        f"{_OTHER_FORMATS}."
    )


def _openpyxl() -> Any:
    try:
        import openpyxl
    except ImportError:
        raise DataError(
            "writing .xlsx files needs the package openpyxl, which is missing; install it by `pip "
            f"install 'textrnn[excel]'`, or {_OTHER_FORMATS}."
        ) from None
    return openpyxl


def _stored(cell: object) -> object:
    """Returns a cell as JSON holds it; a time is an object with its ISO form."""
    if cell is None or isinstance(cell, bool):
        return cell
    if isinstance(cell, int | float | Decimal):
        return _number(cell)
    moment = cell
    if not isinstance(cell, str | list | dict) and hasattr(cell, "as_py"):
        try:
            moment = cell.as_py()
        except (ValueError, OverflowError):  # The time has nanoseconds, or Python cannot hold it.
            return as_text(cell)
    if isinstance(moment, datetime.date) and _fits_excel(moment):
        return {"time": moment.isoformat()}
    text = valid_text(as_text(cell))
    return _NOT_ALLOWED.sub("\ufffd", text) if text else None


def _number(value: float | Decimal) -> float | str:
    """Returns a number, or its digits if Excel would change them."""
    if isinstance(value, int):
        return value if len(str(abs(value))) <= _DIGITS else str(value)
    if isinstance(value, Decimal):
        few = value.is_finite() and len(value.as_tuple().digits) <= _DIGITS
        return float(value) if few else str(value)
    return value if math.isfinite(value) else str(value)


def _fits_excel(moment: datetime.date) -> bool:
    """Returns whether Excel can hold a time: without a zone, and in whole milliseconds."""
    if moment.year < _FIRST_YEAR:
        return False
    if not isinstance(moment, datetime.datetime):
        return True
    nanoseconds = getattr(moment, "nanosecond", 0)  # pandas has times of this type.
    return moment.tzinfo is None and moment.microsecond % 1000 == 0 and not nanoseconds


def _lines(parts: Iterable[Path]) -> Iterator[bytes]:
    for part in parts:
        with part.open("rb") as lines:
            yield from lines


def _cell(sheet: Any, value: Any) -> Any:
    """Returns what a sheet makes a cell of that holds a value of a part as it is."""
    from openpyxl.cell import WriteOnlyCell

    if isinstance(value, dict):
        text = value["time"]
        kind = datetime.date if len(text) == len("2026-11-28") else datetime.datetime
        return kind.fromisoformat(text)
    if not (isinstance(value, str) and value.startswith(("=", "#"))):
        return value
    cell = WriteOnlyCell(sheet, value)
    cell.data_type = "s"  # Otherwise it would be a formula, or an error such as #N/A.
    return cell
