"""The gates of the first layer, as sums of rows that are computed once for each token."""

from __future__ import annotations

import threading

import numpy as np

__all__ = ["TokenGates"]

MOST_BYTES = 128 * 2**20
"""The size of the rows of all tokens above which none are kept."""


class TokenGates:
    """The products of the embeddings of tokens with the kernel of the first layer.

    The inputs of the first layer are embeddings e_v, of which there are V. Its gates at step t,

        b + sum_{k=0}^{w-1} e_{x_{t-k}} W_k

    are therefore sums of rows of w tables, with one row for each token. A row is computed when its
    token is read for the first time, and by itself, so that its digits do not depend on the texts
    that were read before. Memory is taken as rows are computed.

    Args:
        embeddings: `[V, E]`.
        kernel: `[D, w*E, G*H]`, the weights of a step's own input first.
        bias: `[D, G*H]`.
    """

    def __init__(self, embeddings: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> None:
        size = embeddings.shape[1]
        directions, inputs, gates = kernel.shape
        self._shape = (inputs // size, directions, gates)
        self._embeddings, self._bias = embeddings, bias
        parts = kernel.reshape(directions, -1, size, gates)  # [D, w, E, G*H]
        self._kernel = np.ascontiguousarray(parts.transpose(2, 1, 0, 3).reshape(size, -1))
        self._lock = threading.Lock()
        # The place of each token in the tables, which grow; -1: it is not there yet.
        self._places = np.full(len(embeddings), -1, np.int32)
        self._count = 0
        self._tables = self._empty(0)

    @staticmethod
    def fits(embeddings: np.ndarray, kernel: np.ndarray) -> bool:
        """Returns whether the rows of all tokens may be kept."""
        vocab_size, size = embeddings.shape
        directions, inputs, gates = kernel.shape
        return bool(4 * vocab_size * (inputs // size) * directions * gates <= MOST_BYTES)

    def gates(self, ids: np.ndarray, direction: int, *, start: int, stop: int) -> np.ndarray:
        """Returns the gates `[T', B, G*H]` of the steps from `start` to `stop`.

        Args:
            ids: `[T, B]`, all tokens in the order of reading; there are none before them.
            direction: The direction.
            start: The first step.
            stop: The step after the last one.
        """
        first = max(0, start - self._shape[0] + 1)
        self._compute(ids[first:stop])
        places, tables = self._places[ids[first:stop]], self._tables
        total: np.ndarray = _taken(tables[0][direction], places[start - first :])
        for k in range(1, self._shape[0]):
            skipped = max(0, k - start)  # Steps whose token k steps before is not among the ids.
            if start + skipped < stop:
                part = places[start + skipped - k - first : stop - k - first]
                total[skipped:] += _taken(tables[k][direction], part)
        return total

    def _empty(self, tokens: int) -> list[list[np.ndarray]]:
        window, directions, gates = self._shape
        shape = [tokens, gates]
        return [[np.empty(shape, np.float32) for _ in range(directions)] for _ in range(window)]

    def _compute(self, ids: np.ndarray) -> None:
        """Computes the rows of the tokens that are new."""
        if self._places[ids].min(initial=0) >= 0:
            return
        with self._lock:
            is_new = np.zeros(len(self._places), bool)  # Importing `np.unique` would take longer.
            is_new[ids] = True
            new = np.flatnonzero(is_new & (self._places < 0))
            begin, self._count = self._count, self._count + len(new)
            if self._count > len(self._tables[0][0]):
                larger = self._empty(min(2 * self._count, len(self._places)))
                for tables, old in zip(larger, self._tables, strict=True):
                    for table, rows in zip(tables, old, strict=True):
                        table[:begin] = rows[:begin]
                self._tables = larger  # Other threads go on with the tables that they have.
            for place, token in enumerate(new, start=begin):
                row = (self._embeddings[token] @ self._kernel).reshape(self._shape)
                row[0] += self._bias
                for tables, parts in zip(self._tables, row, strict=True):
                    for table, part in zip(tables, parts, strict=True):
                        table[place] = part
            self._places[new] = np.arange(begin, self._count, dtype=np.int32)


def _taken(table: np.ndarray, places: np.ndarray) -> np.ndarray:
    # With another mode, `take` checks the indices, which costs as much as the copies.
    return np.take(table, places, axis=0, mode="clip")
