"""Blocks of a stream, so that many texts are read and classified at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

__all__ = ["blocks"]

T = TypeVar("T")


def blocks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yields lists of `size` items with constant memory; the last list may be shorter.

    If the iterable raises an error, the items before it are yielded first, so that the caller can
    still process them.

    >>> list(blocks("abcde", 2))
    [['a', 'b'], ['c', 'd'], ['e']]

    Args:
        items: The items.
        size: The number of items in a block.
    """
    block: list[T] = []
    try:
        for item in items:
            block.append(item)
            if len(block) == size:
                yield block
                block = []
    except Exception:
        if block:
            yield block
        raise
    if block:
        yield block
