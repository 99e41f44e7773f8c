"""Parallel streams over the texts of a token store, the batches of a language model."""

from __future__ import annotations

import numpy as np

from textrnn.training.batches.token_store import TokensInMemory, TokenStore

__all__ = ["TokenStreams"]


class TokenStreams:
    """One pass over the texts of a store, shuffled, joined, and read at several places in parallel.

    Row r of each batch reads the r-th part of the joined text, segment after segment, so the state
    after one batch is the state before the next.

    Args:
        store: The texts.
        streams: R, the number of places; fewer if there are too few tokens.
        segment: K, the number of tokens per segment; fewer if there are too few tokens.
        directions: D; the second direction reads the joined text from its end.
        seed: The seed of the shuffling.
        ahead: A, the number of tokens after each segment that come with it.

    Attributes:
        streams: R.
        segment: K.
        ahead: A; fewer if there are too few tokens.
    """

    def __init__(
        self,
        store: TokenStore | TokensInMemory,
        *,
        streams: int,
        segment: int,
        directions: int,
        seed: list[int],
        ahead: int = 1,
    ) -> None:
        self._store = store
        self._order = np.random.default_rng(seed).permutation(len(store.offsets) - 1)
        lengths = np.diff(store.offsets)[self._order]
        self._starts = np.concatenate([[0], np.cumsum(lengths)])
        self._total = int(self._starts[-1])
        self.ahead = min(ahead, self._total - 1)
        starts = self._total - self.ahead
        self.segment = min(segment, starts)
        self.streams = min(streams, starts // self.segment)
        self._directions = directions
        self._row = starts // self.streams

    def __len__(self) -> int:
        return self._row // self.segment

    def batch(self, number: int) -> np.ndarray:
        """Returns `[D, R, K + A]` of int32: K inputs, and the A tokens after the last of them."""
        size = self.segment + self.ahead
        ids = np.empty([self._directions, self.streams, size], np.int32)
        for row in range(self.streams):
            begin = row * self._row + number * self.segment
            ids[0, row] = self._slice(begin)
            if self._directions == 2:
                end = self._total - begin
                ids[1, row] = self._slice(end - size)[::-1]
        return ids

    def _slice(self, begin: int) -> np.ndarray:
        """Returns K + A tokens of the joined text."""
        wanted = self.segment + self.ahead
        place = int(np.searchsorted(self._starts, begin, side="right")) - 1
        pieces, size = [], 0
        while size < wanted:
            text = self._order[place]
            first = int(self._store.offsets[text]) + begin + size - int(self._starts[place])
            last = min(int(self._store.offsets[text + 1]), first + wanted - size)
            pieces.append(self._store.tokens[first:last])
            size += last - first
            place += 1
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
