"""Reads a text only until its label is certain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from .errors import ConfigError
from .labels import Labels
from .stream_snapshot import StateArrays

__all__ = ["read_until_certain"]

PIECE = 64
"""The number of tokens that are read at once if reading may end at each of them."""


class EachReader(Protocol):
    """Reads token ids of one text, from one state to the next; see `Reader`."""

    def start(self, texts: int, /) -> StateArrays:
        """Returns the state of texts of which nothing was read."""

    def read(self, state: StateArrays, ids: Sequence[Any], /) -> tuple[np.ndarray, StateArrays]:
        """Returns the probabilities `[B, C]` after the next ids of B texts, and the state."""

    def read_each(
        self, state: StateArrays, ids: Sequence[int], /
    ) -> tuple[np.ndarray, StateArrays]:
        """Returns the probabilities `[T, C]` after each of T ids of one text, and the state."""


def read_until_certain(
    reader: EachReader, ids: Sequence[int], label_space: Labels, *, confident: float, tokens: int
) -> tuple[np.ndarray, int]:
    """Reads a text only until its label is certain.

    Args:
        reader: Reads the ids.
        ids: The ids `[T]` of the text.
        label_space: The labels.
        confident: The probability at which the label of the running prediction counts as certain,
            below 1.
        tokens: For how many consecutive tokens the same label must be certain.

    Returns:
        The probabilities `[C]` where reading ended, and the number of tokens read.

    Raises:
        ConfigError: A value is out of bounds.
    """
    if not 0.0 < confident < 1.0:
        raise ConfigError(f"`confident` must be between 0 and 1, got {confident}.")
    if tokens < 1:
        raise ConfigError(f"`tokens` must be at least 1, got {tokens}.")
    state, read, certain, label = reader.start(1), 0, 0, -1
    scores, _ = reader.read(state, [[]])
    row: np.ndarray = scores[0]
    while read < len(ids):
        piece_scores, state = reader.read_each(state, ids[read : read + PIECE])
        for row, best in zip(piece_scores, label_space.best(piece_scores), strict=True):
            read += 1
            is_certain = row[best] >= confident
            certain = certain + 1 if is_certain and best == label else int(is_certain)
            label = best
            if certain >= tokens:
                return row, read
    return row, read
