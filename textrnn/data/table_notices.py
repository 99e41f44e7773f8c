"""The unusual lines of a table, counted by kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

from textrnn.messages.wording import counted

__all__ = ["LineCounts", "Unusual"]


class Unusual(Enum):
    """A kind of unusual line; the value is the sentence that reports such lines."""

    STRAY_QUOTE = "{lines} with a quote that encloses no cell read literally (the first: {first})."
    BACKSLASHES = "{lines} with backslashes before quotes read without them (the first: {first})."
    SPACED_QUOTES = "{lines} with a space before quotes read without it (the first: {first})."
    LONG_CELL = (
        "{rows} of several lines, some of which look like rows themselves, read as one text each "
        "(the first: {first}); if a quote opens there by mistake, write it twice, between quotes: "
        '""".'
    )
    EMPTY_CELLS = (
        "{rows} with empty cells after the last column read without them (the first: {first})."
    )
    HEADER = "{rows} left out, equal to the header (the first: {first})."
    BLANK = "{blank_lines} skipped (the first: {first})."


class LineCounts:
    """Counts the unusual lines of a file.

    >>> counts = LineCounts(Path("a.csv"))
    >>> counts.add(Unusual.BLANK, line=3)
    >>> list(counts.notices())
    ['a.csv: 1 blank line skipped (the first: a.csv:3).']

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._counts: Counter[Unusual] = Counter()
        self._first: dict[Unusual, int] = {}

    def add(self, kind: Unusual, *, line: int) -> None:
        """Counts one line."""
        self._counts[kind] += 1
        self._first.setdefault(kind, line)

    def notices(self) -> Iterator[str]:
        """Yields one sentence for each kind that occurred, in the order of the kinds."""
        for kind in Unusual:
            if count := self._counts[kind]:
                sentence = kind.value.format(
                    lines=counted(count, "line"),
                    blank_lines=counted(count, "blank line"),
                    rows=counted(count, "row"),
                    first=f"{self._path}:{self._first[kind]}",
                )
                yield f"{self._path}: {sentence}"
