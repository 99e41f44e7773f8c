"""Pieces of files of texts, so that several workers can read one file.

A .csv file cannot be read from its middle, because only its beginning tells whether a quote opens
or closes a cell. It is read once, and its rows are written into pieces of JSON lines: where a row
was, its text, its problem and its cells, with the places of the cells that it does not have.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from textrnn.data.columns import ABSENT
from textrnn.data.kept_rows import FileRows, KeptRow
from textrnn.data.rows import Row
from textrnn.data.stores import open_binary

__all__ = ["cut_line", "open_cut"]


def cut_line(kept: KeptRow) -> bytes:
    r"""Returns a row as a line of a piece.

    >>> cut_line(KeptRow(Row("a.csv:2", "good"), ["1", ABSENT]))
    b'["a.csv:2", "good", "", ["1", null], [1]]\n'
    """
    absent = [place for place, cell in enumerate(kept.cells) if cell is ABSENT]
    cells = [None if cell is ABSENT else cell for cell in kept.cells]
    row = kept.row
    # Escapes hold lone surrogates too, which stand for bytes that are no text.
    return json.dumps([row.origin, row.text, row.problem, cells, absent]).encode() + b"\n"


@contextmanager
def open_cut(path: Path, columns: tuple[str, ...]) -> Iterator[FileRows]:
    """Opens a piece.

    Args:
        path: The piece.
        columns: The columns of the file that was cut.

    Raises:
        OSError: There is no such piece.
    """
    with open_binary(path) as lines:
        yield FileRows(columns, map(_row, lines))


def _row(line: bytes) -> KeptRow:
    origin, text, problem, cells, absent = json.loads(line)
    for place in absent:
        cells[place] = ABSENT
    return KeptRow(Row(origin, text, problem=problem), cells)
