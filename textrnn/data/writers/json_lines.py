"""Writes JSON lines: one object per row, without the keys that the row does not have."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

from textrnn.data.columns import ABSENT
from textrnn.data.writers.values import as_plain
from textrnn.data.writers.writer import Layout, check_different_names, valid_text

__all__ = ["JsonLinesWriter"]


class JsonLinesWriter:
    r"""Writes a .jsonl file; see `TableWriter`.

    >>> JsonLinesWriter(Layout(("text",), {"score": float})).part([["a", 0.5]])
    b'{"text": "a", "score": 0.5}\n'

    Args:
        layout: The columns.

    Raises:
        DataError: Two columns have the same name.
    """

    def __init__(self, layout: Layout) -> None:
        check_different_names(layout, ".jsonl")
        self._names = layout.names

    def part(self, rows: Sequence[Sequence[object]]) -> bytes:
        """Returns the lines of the rows."""
        return "".join(map(self._line, rows)).encode()

    def join(self, parts: Iterable[Path], file: BinaryIO) -> None:
        """Writes the lines of the parts."""
        for part in parts:
            with part.open("rb") as lines:
                shutil.copyfileobj(lines, file)

    def _line(self, cells: Sequence[object]) -> str:
        item = {
            name: as_plain(cell)
            for name, cell in zip(self._names, cells, strict=True)
            if cell is not ABSENT
        }
        return valid_text(json.dumps(item, ensure_ascii=False)) + "\n"
