"""When a job whose workers were lost is started again, and when it is given up."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["MOST_RESTARTS", "Restarts"]

MOST_RESTARTS = 10
"""The number of restarts in a row, without progress between them, after which a job is given up."""


@dataclass
class Restarts:
    """Counts the failures of a job, and says how long to wait before the next start.

    The pause doubles with each failure that brought no progress. Progress sets it back.

    >>> restarts = Restarts(most=3)
    >>> [restarts.pause_after(progress) for progress in (0, 0, 7, 7, 7, 7)]
    [1.0, 2.0, 1.0, 2.0, 4.0, None]

    Args:
        most: The number of restarts in a row without progress.
        first_pause: The seconds before the first restart.
        longest_pause: The most seconds before a restart.

    Attributes:
        count: The number of restarts so far.
    """

    most: int = MOST_RESTARTS
    first_pause: float = 1.0
    longest_pause: float = 60.0
    count: int = field(default=0, init=False)
    _in_a_row: int = field(default=0, init=False)
    _progress: int = field(default=0, init=False)

    def pause_after(self, progress: int) -> float | None:
        """Returns the seconds until the next start after a failure; None: give up.

        Args:
            progress: How far the job has come, such as the number of its updates; it never falls.
        """
        if progress > self._progress:
            self._progress, self._in_a_row = progress, 0
        if self._in_a_row >= self.most:
            return None
        self._in_a_row += 1
        self.count += 1
        return float(min(self.first_pause * 2 ** (self._in_a_row - 1), self.longest_pause))
