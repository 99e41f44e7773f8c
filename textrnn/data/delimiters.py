"""The delimiter between the columns of a table, detected from its header."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path

from textrnn.data.columns import Column
from textrnn.data.lines import NumberedLines

__all__ = ["DELIMITERS", "HEAD_LINES", "find_delimiter", "header_names"]

DELIMITERS = {".csv": ",", ".tsv": "\t"}
"""The usual delimiter of each file extension."""

HEAD_LINES = 1000
"""Lines that are searched for the header, and for the labels that occur."""

_CANDIDATES = (",", ";", "\t", "|")
_NAMES = {"\t": "a tab", ",": "','", ";": "';'", "|": "'|'"}
_DECLARATION = re.compile(r"sep=(.)\s*", re.IGNORECASE)


def find_delimiter(
    lines: NumberedLines,
    path: Path,
    *,
    given: str | None,
    columns: Sequence[Column],
    notices: list[str],
) -> str:
    """Returns the delimiter that is given, that the file declares, or that fits the header.

    Reads a declaration `sep=;` before the header, if there is one.

    Args:
        lines: The lines of the table, at its beginning.
        path: The file; its extension says which delimiter is usual.
        given: The delimiter that the user names; None if they name none.
        columns: The columns that the header must have.
        notices: Receives a sentence if the delimiter is not the usual one.
    """
    head = lines.head(HEAD_LINES)
    first = head[0].lstrip("\ufeff") if head else ""
    declaration = _DECLARATION.fullmatch(first)
    if declaration:
        next(lines)
        head = head[1:]
    if given is not None:
        return given
    usual = DELIMITERS.get(_extension(path), ",")
    delimiter = declaration[1] if declaration else _best_delimiter(head, usual, columns)
    if delimiter != usual:
        notices.append(
            f"{path}: read with {_NAMES.get(delimiter, repr(delimiter))} between the columns; "
            "`delimiter` changes that."
        )
    return delimiter


def _best_delimiter(head: list[str], usual: str, columns: Sequence[Column]) -> str:
    """Returns the delimiter with which the header has the columns, or else the most columns."""
    headers: dict[str, list[str]] = {}
    for candidate in dict.fromkeys((usual, *_CANDIDATES)):
        try:
            rows = csv.reader(head, delimiter=candidate, strict=True)
            headers[candidate] = header_names(next(filter(None, rows), []))
        except csv.Error:
            continue
        if all(column.names_in(headers[candidate]) for column in columns):
            return candidate
    return max(headers, key=lambda d: (len(headers[d]), d == usual), default=usual)


def header_names(cells: list[str]) -> list[str]:
    """Returns the column names of a header, without white space and byte order marks around them.

    >>> header_names([" text", "label \\n"])
    ['text', 'label']
    """
    return [name.strip("\ufeff \t\r\n") for name in cells]


def _extension(path: Path) -> str:
    return Path(path.name.removesuffix(".gz")).suffix.lower()
