"""The lines of a file with their numbers; lines can be pushed back and read again."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import islice

__all__ = ["NumberedLines"]


class NumberedLines:
    r"""An iterator over lines that counts them.

    >>> lines = NumberedLines(["text,label\n", "good,pos\n"])
    >>> lines.head(1), next(lines), lines.number
    (['text,label\n'], 'text,label\n', 1)

    Args:
        lines: The lines with their ends, as `open(newline="")` returns them.

    Attributes:
        number: The number of the last line that was read.
        taken: The lines that were read since `begin_row`.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self._source = iter(lines)
        self._pushed_back: deque[str] = deque()
        self.number = 0
        self.taken: list[str] = []

    def __iter__(self) -> NumberedLines:
        return self

    def __next__(self) -> str:
        line = self._pushed_back.popleft() if self._pushed_back else next(self._source)
        # In a concatenation of files, each one may begin with a byte order mark.
        line = line.removeprefix("\ufeff")
        self.number += 1
        self.taken.append(line)
        return line

    def begin_row(self) -> None:
        """Empties `taken`."""
        self.taken = []

    def push_back(self, count: int) -> None:
        """Pushes back the last `count` lines of `taken`, to be read again."""
        if count:
            self._pushed_back.extendleft(reversed(self.taken[-count:]))
            del self.taken[-count:]
            self.number -= count

    def head(self, count: int) -> list[str]:
        """Returns the next lines without consuming them."""
        lines = list(islice(self, count))
        self.push_back(len(lines))
        return lines
