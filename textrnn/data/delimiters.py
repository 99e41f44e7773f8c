"""What stands between the columns of a table, found from its header."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from textrnn.data.lines import Lines

__all__ = ["DELIMITERS", "HEAD_LINES", "Column", "find_delimiter", "header_names"]

DELIMITERS = {".csv": ",", ".tsv": "\t"}
"""The separator that each extension stands for."""

_CANDIDATES = (",", ";", "\t", "|")
_SPOKEN = {"\t": "a tab", ",": "','", ";": "';'", "|": "'|'"}
_DECLARED = re.compile(r"sep=(.)\s*", re.IGNORECASE)
HEAD_LINES = 1000
"""Lines that are looked at before the first row: for the header, and for labels that exist."""


class Column(NamedTuple):
    """A column that is read, and the option that names it."""

    name: str
    option: str


def find_delimiter(
    lines: Lines, path: Path, *, given: str | None, columns: Sequence[Column], notices: list[str]
) -> str:
    """The separator of a table: the given one, the declared one, or that of the header.

    A line `sep=;` before the header is passed over.

    Args:
        lines: The table's, at their beginning.
        path: Where they come from; its ending says what is usual.
        given: The separator that the user gives.
        columns: The columns that the header must have.
        notices: Receives a sentence if the separator is not the usual one.
    """
    head = lines.head(HEAD_LINES)
    first = head[0].lstrip("\ufeff") if head else ""
    declared = _DECLARED.fullmatch(first)
    if declared:
        next(lines)
        head = head[1:]
    if given is not None:
        return given
    usual = DELIMITERS.get(_extension(path), ",")
    found = declared[1] if declared else _fitting(head, usual, columns)
    if found != usual:
        notices.append(
            f"{path}: read with {_SPOKEN.get(found, repr(found))} between the columns; "
            "--delimiter overrules that."
        )
    return found


def _fitting(head: list[str], usual: str, columns: Sequence[Column]) -> str:
    """The separator under which the header has the columns, or else the most columns."""
    headers: dict[str, list[str]] = {}
    for candidate in dict.fromkeys((usual, *_CANDIDATES)):
        try:
            rows = csv.reader(head, delimiter=candidate, strict=True)
            headers[candidate] = header_names(next(filter(None, rows), []))
        except csv.Error:
            continue
        if all(column.name in headers[candidate] for column in columns):
            return candidate
    return max(headers, key=lambda d: (len(headers[d]), d == usual), default=usual)


def header_names(row: list[str]) -> list[str]:
    """The names of a header's columns, without what surrounds them."""
    return [name.strip("\ufeff \t\r\n") for name in row]


def _extension(path: Path) -> str:
    return Path(path.name.removesuffix(".gz")).suffix.lower()
