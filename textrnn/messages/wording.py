"""Counts and lists of names as messages state them."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["MOST_NAMES", "counted", "listed"]

MOST_NAMES = 20
"""Names that a message lists at the most."""


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """Returns a count with its noun.

    >>> counted(1, "epoch"), counted(2000, "epoch"), counted(0, "batch", "batches")
    ('1 epoch', '2,000 epochs', '0 batches')

    Args:
        count: How many there are.
        noun: The noun in the singular.
        plural: Its plural, by default with an s.
    """
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def listed(names: Sequence[str], most: int = MOST_NAMES) -> str:
    """Returns the names, or the first of them and the number of the others.

    >>> listed(["a", "b"]), listed(["a", "b", "c", "d"], most=2)
    ('a, b', 'a, b and 2 more')

    Args:
        names: All names.
        most: How many are listed at the most.
    """
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most:,} more"
