"""Writes tables with delimited columns (.csv, .tsv), by RFC 4180, with one line feed per line."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

from textrnn.data.writers.values import as_text
from textrnn.data.writers.writer import Layout, valid_text

__all__ = ["DelimitedWriter"]


class DelimitedWriter:
    r"""Writes a .csv or .tsv file; see `TableWriter`.

    >>> writer = DelimitedWriter(Layout(("text",), {"label": str}), delimiter=",")
    >>> writer.part([["a, b", "pos"], ["c", None]])
    b'"a, b",pos\nc,\n'

    Args:
        layout: The columns.
        delimiter: The character between the columns.
    """

    def __init__(self, layout: Layout, *, delimiter: str) -> None:
        self._layout, self._delimiter = layout, delimiter
        # The module csv of some Python versions leaves a lone carriage return without quotes.
        self._special = re.compile(rf'["\r\n{re.escape(delimiter)}]')

    def part(self, rows: Sequence[Sequence[object]]) -> bytes:
        """Returns the lines of the rows."""
        return "".join(map(self._line, rows)).encode()

    def join(self, parts: Iterable[Path], file: BinaryIO) -> None:
        """Writes the header and the lines of the parts."""
        file.write(self._line(self._layout.names).encode())
        for part in parts:
            with part.open("rb") as lines:
                shutil.copyfileobj(lines, file)

    def _line(self, cells: Sequence[object]) -> str:
        return self._delimiter.join(self._cell(as_text(cell)) for cell in cells) + "\n"

    def _cell(self, text: str) -> str:
        text = valid_text(text)
        return '"' + text.replace('"', '""') + '"' if self._special.search(text) else text
