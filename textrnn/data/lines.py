"""Lines of a file with their numbers, some of which can be given back and read again."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import islice

__all__ = ["Lines"]


class Lines:
    """The lines.

    Args:
        lines: With their ends, as `open(newline="")` gives them.

    Attributes:
        number: How many were taken, but for those given back.
        taken: Those of the present record.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self._source = iter(lines)
        self._returned: deque[str] = deque()
        self.number = 0
        self.taken: list[str] = []

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        line = self._returned.popleft() if self._returned else next(self._source)
        # Where files were joined, each brings its byte order mark.
        line = line.removeprefix("\ufeff")
        self.number += 1
        self.taken.append(line)
        return line

    def begin_record(self) -> None:
        """Forgets the lines that were taken so far."""
        self.taken = []

    def give_back(self, count: int) -> None:
        """Makes the last lines that were taken the next ones again."""
        if count:
            self._returned.extendleft(reversed(self.taken[-count:]))
            del self.taken[-count:]
            self.number -= count

    def head(self, count: int) -> list[str]:
        """The next lines, which stay the next ones."""
        lines = list(islice(self, count))
        self.give_back(len(lines))
        return lines
