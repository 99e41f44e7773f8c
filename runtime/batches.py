"""Texts of similar lengths, which are computed together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

__all__ = ["batches"]

BATCH_TEXTS = 32
BATCH_TOKENS = 16_384
"""The largest number of texts that are computed together, and of their tokens with padding."""


def batches(rows: Sequence[np.ndarray]) -> Iterator[list[int]]:
    """Yields the places of texts that are computed together, the longest text of each batch first.

    >>> list(batches([np.zeros(2), np.zeros(5), np.zeros(3)]))
    [[1, 2, 0]]

    Args:
        rows: The ids `[T]` of each text.
    """
    places: list[int] = []
    for place in sorted(range(len(rows)), key=lambda place: -len(rows[place])):
        longest = len(rows[places[0]]) if places else 0
        if places and (len(places) == BATCH_TEXTS or (len(places) + 1) * longest > BATCH_TOKENS):
            yield places
            places = []
        places.append(place)
    if places:
        yield places
