"""The ways to split one line of a table into cells."""

from __future__ import annotations

import csv
from typing import Any

__all__ = ["LineSplitter"]


class LineSplitter:
    r"""Splits single lines of a table, by RFC 4180 or as other programs write them.

    >>> splitter = LineSplitter(",")
    >>> splitter.literal('"an open quote,pos\n'), splitter.backslashes('"a \\"b\\"",pos\n')
    (['"an open quote', 'pos'], ['a "b"', 'pos'])

    Args:
        delimiter: The character between the cells.
    """

    def __init__(self, delimiter: str) -> None:
        self.delimiter = delimiter

    def standard(self, line: str) -> list[str]:
        """Splits by RFC 4180, or literally if the quotes of the line do not match."""
        return self._parse(line) or self.literal(line)

    def literal(self, line: str) -> list[str]:
        """Splits at each delimiter; a quote is a character, except around a whole cell.

        Returns:
            The cells; none if the line has a NUL under Python 3.10.
        """
        reader = csv.reader([line], delimiter=self.delimiter, quoting=csv.QUOTE_NONE)
        try:
            return [_without_quotes(cell) for cell in next(reader, [])]
        except csv.Error:
            return []

    def backslashes(self, line: str) -> list[str]:
        """Splits a line with backslashes before quotes, as databases write it.

        Returns:
            The cells; none if no backslash is before a quote, or if the line cannot be split so.
        """
        if '\\"' not in line:
            return []
        return self._parse(line, doublequote=False, escapechar="\\")

    def spaced_quotes(self, line: str) -> list[str]:
        """Splits a line with spaces between delimiters and quotes; [] if it has none or fails."""
        if f'{self.delimiter} "' not in line:
            return []
        return self._parse(line, skipinitialspace=True)

    def _parse(self, line: str, **options: Any) -> list[str]:
        reader = csv.reader([line], delimiter=self.delimiter, strict=True, **options)
        try:
            return next(reader, [])
        except csv.Error:
            return []


def _without_quotes(cell: str) -> str:
    if len(cell) > 1 and cell[0] == cell[-1] == '"':
        return cell[1:-1].replace('""', '"')
    return cell
