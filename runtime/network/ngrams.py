"""The linear classifier of n-grams in NumPy; see `textrnn.NGramLogits`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

__all__ = ["NGramState", "NGrams"]


class NGramState(NamedTuple):
    """What the n-grams remember of B texts.

    Attributes:
        before: `[B, N-1+W]` of int64, the last tokens; 0 where there is none.
        total: `[B, C]` of float64, the sum of the weights so far.
        count: `[B, 1]`, the number of tokens so far.
    """

    before: np.ndarray
    total: np.ndarray
    count: np.ndarray


class NGrams:
    """A linear classifier of n-grams, which are found by binary search.

    Args:
        tensors: The arrays of the file.
        once_in: W, the number of tokens before in which the same n-gram must not end.
    """

    def __init__(self, tensors: Mapping[str, np.ndarray], *, once_in: int) -> None:
        orders = sum(name.startswith("ngrams/weights_") for name in tensors)
        self._weights = [tensors[f"ngrams/weights_{n}"] for n in range(1, orders + 1)]
        self._keys = [tensors[f"ngrams/keys_{n}"] for n in range(2, orders + 1)]
        self._scales, self.bias = tensors["ngrams/scales"], tensors["ngrams/bias"]
        self._vocab_size, self._classes = self._weights[0].shape
        self._once_in = once_in

    @property
    def orders(self) -> int:
        """N, the number of tokens of the longest n-grams."""
        return len(self._weights)

    @property
    def _memory(self) -> int:
        return self.orders - 1 + self._once_in

    def start(self, texts: int) -> NGramState:
        """Returns the state of texts of which nothing was read."""
        return NGramState(
            np.zeros([texts, self._memory], np.int64),
            np.zeros([texts, self._classes]),
            np.zeros([texts, 1], np.int64),
        )

    def read(self, ids: Sequence[np.ndarray], state: NGramState) -> NGramState:
        """Reads the next ids of some texts.

        Args:
            ids: The ids `[T]` of each of B texts.
            state: The state before.
        """
        lengths = np.array([len(row) for row in ids])
        total = state.total.copy()
        after = np.empty_like(state.before)
        for text, row in enumerate(ids):
            tokens = np.concatenate([state.before[text], row])
            after[text] = tokens[len(row) :]
            for order, rows in enumerate(self._rows(tokens), start=1):
                weights = self._weights[order - 1][rows[rows > 0]]
                total[text] += self._scales[order - 1] * weights.sum(axis=0, dtype=np.float64)
        return NGramState(after, total, state.count + lengths[:, np.newaxis])

    def finish(self, state: NGramState) -> np.ndarray:
        """Returns the logits `[B, C]` of texts as far as they were read."""
        return np.asarray(state.total / np.sqrt(np.maximum(state.count, 1)) + self.bias)

    def contributions(self, ids: np.ndarray, target: int) -> list[tuple[int, int, float]]:
        """Returns what each n-gram of a text that has a weight adds to a logit.

        Args:
            ids: The ids `[T]` of the text.
            target: The place of the label.

        Returns:
            The place of the first token, the place after the last one, and the number.
        """
        found = []
        tokens = np.concatenate([np.zeros(self._memory, np.int64), ids])
        for order, rows in enumerate(self._rows(tokens), start=1):
            weights = self._weights[order - 1][rows, target] * (
                self._scales[order - 1] / np.sqrt(max(len(ids), 1))
            )
            found += [
                (last - order + 1, last + 1, float(weights[last]))
                for last in map(int, np.flatnonzero(weights))
            ]
        return found

    def _rows(self, tokens: np.ndarray) -> list[np.ndarray]:
        """Returns for each order the rows `[T]` of the n-grams that end at each new token.

        The row is 0 for an n-gram that is not in the table, or not counted again.

        Args:
            tokens: `[N-1+W+T]`, the tokens before and the new ones.
        """
        rows = [tokens]
        for keys in self._keys:
            wanted = rows[-1][:-1] * self._vocab_size + tokens[len(rows) :]
            place = np.searchsorted(keys, wanted, side="right") - 1
            rows.append(np.where(keys[place] == wanted, place, 0))
        return [self._once(row[self.orders - n :]) for n, row in enumerate(rows, start=1)]

    def _once(self, rows: np.ndarray) -> np.ndarray:
        """Returns the last rows `[T]` of `[W+T]`, 0 where one of the W before is the same."""
        if not self._once_in:
            return rows
        order = np.argsort(rows, kind="stable")
        sorted_rows = rows[order]
        again = (sorted_rows[1:] == sorted_rows[:-1]) & (np.diff(order) <= self._once_in)
        once = rows.copy()
        once[order[1:][again]] = 0
        return once[self._once_in :]
