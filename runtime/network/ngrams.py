"""The linear classifier of n-grams in NumPy; see `textrnn.NGramLogits`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

__all__ = ["NGramState", "NGrams"]


class NGramState(NamedTuple):
    """What the n-grams remember of B texts.

    Attributes:
        before: `[B, N-1+W]` of int32, the last tokens; 0 where there is none.
        total: `[B, C]` of float64, the sum of the weights so far.
        tokens: `[B, 1]`, how many tokens were read.
    """

    before: np.ndarray
    total: np.ndarray
    tokens: np.ndarray


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
            np.zeros([texts, self._memory], np.int32),
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
        texts = np.repeat(np.arange(len(ids)), lengths)
        for order, rows in enumerate(self._rows(ids, state.before), start=1):
            known = np.flatnonzero(rows)
            weights = self._weights[order - 1][rows[known]] * np.float64(self._scales[order - 1])
            np.add.at(total, texts[known], weights)
        after = [
            np.concatenate([before, row])[len(row) :]
            for before, row in zip(state.before, ids, strict=True)
        ]
        return NGramState(np.array(after, np.int32), total, state.tokens + lengths[:, np.newaxis])

    def finish(self, state: NGramState) -> np.ndarray:
        """Returns the logits `[B, C]` of texts as far as they were read."""
        return np.asarray(state.total / np.sqrt(np.maximum(state.tokens, 1)) + self.bias)

    def contributions(self, ids: np.ndarray, target: int) -> list[tuple[int, int, float]]:
        """Returns what each n-gram of a text that has a weight adds to a logit.

        Args:
            ids: The ids `[T]` of the text.
            target: The place of the label.

        Returns:
            The place of the first token, the place after the last one, and the number.
        """
        found = []
        nothing = np.zeros([1, self._memory], np.int32)
        for order, rows in enumerate(self._rows([ids], nothing), start=1):
            weights = self._weights[order - 1][rows, target] * (
                self._scales[order - 1] / np.sqrt(max(len(ids), 1))
            )
            found += [
                (last - order + 1, last + 1, float(weights[last]))
                for last in map(int, np.flatnonzero(weights))
            ]
        return found

    def _rows(self, ids: Sequence[np.ndarray], before: np.ndarray) -> list[np.ndarray]:
        """Returns for each order the rows of the n-grams that end at each token of all texts.

        The row is 0 for an n-gram that is not in the table, or not counted again.

        Args:
            ids: The ids `[T]` of each text.
            before: `[B, N-1+W]`, the tokens before them.

        Returns:
            The rows of the first text, then those of the second, and so on.
        """
        parts = [part for pair in zip(before, ids, strict=True) for part in pair]
        tokens = np.concatenate(parts, dtype=np.int32)
        lengths = np.array([len(row) for row in ids]) + self._memory
        texts = np.repeat(np.arange(len(ids)), lengths)
        places = np.arange(len(tokens)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        result, rows = [], tokens
        for order in range(1, self.orders + 1):
            if order > 1:
                keys = self._keys[order - 2]
                wanted = rows * np.int32(self._vocab_size)
                wanted[1:] = wanted[:-1] + tokens[1:]  # An n-gram follows the one before its token.
                place = np.searchsorted(keys, wanted, side="right") - 1
                rows = np.where(keys[place] == wanted, place, 0).astype(np.int32)
            # The first tokens of a text continue no n-gram of the text before.
            counted = self._once(np.where(places < order - 1, 0, rows), texts)
            result.append(counted[places >= self._memory])
        return result

    def _once(self, rows: np.ndarray, texts: np.ndarray) -> np.ndarray:
        """Returns rows with 0 in place of those that one of the W tokens before has too.

        Args:
            rows: The rows at all tokens.
            texts: The text of each token.
        """
        if not self._once_in:
            return rows
        keys = texts * (np.int64(rows.max(initial=0)) + 1) + rows
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        again = (ordered[1:] == ordered[:-1]) & (order[1:] - order[:-1] <= self._once_in)
        once = rows.copy()
        once[order[1:][again]] = 0
        return np.asarray(once)
