"""The flags by which the chief controls all workers."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["ControlFlags"]


class ControlFlags(NamedTuple):
    """The flags that the chief sends to all workers with each update.

    >>> bool(ControlFlags(stop=0.0, save=1.0, time_share=0.5).save)
    True

    Attributes:
        stop: Save a checkpoint and stop, unless it is 0.
        save: Save a checkpoint, unless it is 0.
        time_share: The share of the time budget that is used up.
    """

    stop: float
    save: float
    time_share: float
