"""Excel workbooks (.xlsx), of which the first sheet is read row by row, by openpyxl."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from textrnn.data.columns import Record
from textrnn.data.delimiters import header_names
from textrnn.data.formats.table import Request, Table, check_columns
from textrnn.errors import DataError
from textrnn.messages.wording import counted, quoted

__all__ = ["open_excel"]


@contextmanager
def open_excel(path: Path, request: Request) -> Iterator[Table]:
    """Opens the first sheet of a workbook; its first row that is not blank names the columns.

    A cell with a formula has the value that the program stored when it last saved the file.

    Args:
        path: The file.
        request: The columns that are read.

    Raises:
        DataError: The file is no workbook, or lacks a column, or openpyxl is missing.
    """
    with closing(_workbook(path)) as workbook:
        sheet, *others = workbook.worksheets or [None]
        if sheet is None:
            raise DataError(f"{path}: expected a sheet with a table, got none; add one.")
        if others:
            request.notices.append(
                f"{path}: read the sheet {sheet.title!r}, not "
                f"{quoted(other.title for other in others[:10])}; move the sheet with the table to "
                "the first place."
            )
        # Some programs write wrong dimensions, which would cut the table.
        sheet.reset_dimensions()
        rows = enumerate(sheet.iter_rows(values_only=True), start=1)
        header = next((cells for _, row in rows if (cells := _trimmed(row))), None)
        if header is None:
            raise DataError(f"{path}: expected a header row, got an empty sheet; check the file.")
        names = header_names(["" if cell is None else str(cell) for cell in header])
        check_columns(names, request, path=path)
        yield Table(
            tuple(names),
            lambda: _records(rows, path, columns=len(names), notices=request.notices),
            numbers_are_text=True,
        )


def _workbook(path: Path) -> Any:
    try:
        import openpyxl
        from openpyxl.utils.exceptions import InvalidFileException
    except ImportError:
        raise DataError(
            f"{path}: reading Excel files needs the package openpyxl, which is missing; install it "
            "by `pip install 'textrnn[excel]'`, or save the table as .csv."
        ) from None
    try:
        with warnings.catch_warnings():
            # openpyxl reports each feature that it does not read, such as drop-down lists.
            warnings.simplefilter("ignore", UserWarning)
            return openpyxl.load_workbook(path, read_only=True, data_only=True)
    except FileNotFoundError:
        raise DataError(f"{path}: expected a file, got none; check the path.") from None
    except (InvalidFileException, BadZipFile, KeyError, ValueError, OSError) as error:
        reason = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
        raise DataError(
            f"{path}: expected an Excel workbook (.xlsx), got another file or a damaged one "
            f"({reason}); save it as .xlsx without a password, or as .csv."
        ) from error


def _trimmed(row: tuple[Any, ...]) -> list[Any]:
    """Returns the cells without the empty ones at the end."""
    cells = list(row)
    while cells and (cells[-1] is None or cells[-1] == ""):
        cells.pop()
    return cells


def _records(
    rows: Iterator[tuple[int, tuple[Any, ...]]], path: Path, *, columns: int, notices: list[str]
) -> Iterator[Record]:
    blank = 0
    for number, row in rows:
        cells, origin = _trimmed(row), f"{path}: row {number}"
        if not cells:
            blank += 1
        elif len(cells) > columns:
            problem = (
                f"expected {counted(columns, 'column')}, got {len(cells)}; name each column in the "
                "first row, or empty the cells beside the table"
            )
            yield Record(origin, problem=problem)
        else:
            yield Record(origin, cells + [None] * (columns - len(cells)))
    if blank:
        notices.append(f"{path}: {counted(blank, 'blank row')} skipped.")
