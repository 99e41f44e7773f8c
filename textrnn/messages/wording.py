"""Counts and lists of names in messages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["MOST_NAMES", "counted", "listed", "quoted"]

MOST_NAMES = 20
"""The largest number of names in a message."""


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """Returns a count with its noun in the right number.

    >>> counted(1, "epoch"), counted(2000, "epoch"), counted(0, "batch", "batches")
    ('1 epoch', '2,000 epochs', '0 batches')

    Args:
        count: The count.
        noun: The noun in the singular.
        plural: The noun in the plural; None appends an s.
    """
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def listed(names: Sequence[str], most: int = MOST_NAMES) -> str:
    """Returns the names, or the first names and the number of the others.

    >>> listed(["a", "b"]), listed(["a", "b", "c", "d"], most=2)
    ('a, b', 'a, b and 2 more')

    Args:
        names: All names.
        most: The largest number of names that are listed.
    """
    text = ", ".join(names[:most])
    return text if len(names) <= most else f"{text} and {len(names) - most:,} more"


def quoted(names: Iterable[str]) -> str:
    r"""Returns the names in quotes, with line ends and control characters escaped.

    >>> quoted(["text", "two\nlines"]), quoted([])
    ("'text', 'two\\nlines'", 'none')

    Args:
        names: The names; each is shortened to 30 characters.
    """
    return ", ".join(repr(name[:30]) for name in names) or "none"
