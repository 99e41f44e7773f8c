"""The network of a language model: token ids to the probability of each next token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..errors import ModelError
from .architecture import LanguageArchitecture
from .layer import DIRECTIONS, LayerState
from .stack import Stack

__all__ = ["LanguageNetwork"]

PIECE_TOKENS = 256
"""The number of tokens of each text that are read at once."""

BLOCK_ROWS = 128
BLOCK_VOCABULARY = 8_192
"""The numbers of rows and columns of the logits that are in memory at once: 4 MB."""


class LanguageNetwork:
    """A trained language model of token ids, which `textrnn.LanguageModel` explains.

    The network never changes, and several threads may call it at the same time.

    Args:
        tensors: The arrays of the file.
        architecture: The settings of the model.

    Raises:
        ModelError: An array is missing, or the arrays do not fit each other.
    """

    def __init__(
        self, tensors: Mapping[str, np.ndarray], architecture: LanguageArchitecture
    ) -> None:
        self.architecture = architecture
        names = DIRECTIONS[: architecture.directions]
        try:
            self._embeddings = tensors["embedding/embeddings"]  # [V, E]
            self._bias = tensors["output/bias"]  # [V]
            self._stacks = [
                Stack(_of_direction(tensors, name), architecture.stack) for name in names
            ]
            self._projections = [
                (tensors[f"projection/{name}/kernel"], tensors[f"projection/{name}/bias"])
                for name in names
            ]
        except (KeyError, ValueError, IndexError) as error:
            raise ModelError(
                f"expected the arrays of a language model of {architecture.cell} cells, got others "
                f"({error}); write the file again."
            ) from None

    @property
    def vocab_size(self) -> int:
        """V."""
        return len(self._embeddings)

    def token_scores(
        self, ids: Sequence[np.ndarray], targets: Sequence[np.ndarray], *, direction: int = 0
    ) -> list[np.ndarray]:
        """Computes ln p `[T]` of float32 of the token after each token of some texts.

        The memory for texts of T tokens is that of their ids, and constant otherwise.

        Args:
            ids: The ids `[T]` of each text in the order of reading, in descending order of length.
            targets: The id `[T]` after each of them.
            direction: 0: forwards; 1: backwards.
        """
        stack = self._stacks[direction]
        layers = stack.start(len(ids))
        scores = [np.zeros(len(row), np.float32) for row in ids]
        for start in range(0, max(map(len, ids), default=0), PIECE_TOKENS):
            piece = slice(start, start + PIECE_TOKENS)
            lengths = np.array([len(row[piece]) for row in ids])
            states, layers = self._states(
                stack, [row[piece] for row in ids], lengths, layers=layers
            )
            vectors = self._projected(states, lengths, direction=direction)
            wanted = np.concatenate([row[piece] for row in targets])
            parts = np.split(self._log_probabilities(vectors, wanted), np.cumsum(lengths)[:-1])
            for row, part in zip(scores, parts, strict=True):
                row[piece] = part
        return scores

    def _states(
        self,
        stack: Stack,
        ids: Sequence[np.ndarray],
        lengths: np.ndarray,
        *,
        layers: Sequence[LayerState],
    ) -> tuple[np.ndarray, list[LayerState]]:
        """Returns the states `[T, B, H]` of the last layer, and the states after."""
        padded = np.zeros([lengths[0], len(ids)], np.int64)  # [T, B]
        for place, row in enumerate(ids):
            padded[: len(row), place] = row
        states, _, after = stack.read(padded, lengths, layers)
        return states, after

    def _projected(self, states: np.ndarray, lengths: np.ndarray, *, direction: int) -> np.ndarray:
        """Returns c `[N, E]` of the N tokens, text by text."""
        kernel, bias = self._projections[direction]
        by_text = states.transpose(1, 0, 2)  # [B, T, H]
        return np.asarray(by_text[np.arange(len(states)) < lengths[:, np.newaxis]] @ kernel + bias)

    def _log_probabilities(self, vectors: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Computes ln p `[N]` of the targets `[N]` for c `[N, E]`."""
        result = np.empty(len(vectors), np.float32)
        for start in range(0, len(vectors), BLOCK_ROWS):
            rows = slice(start, start + BLOCK_ROWS)
            result[rows] = self._block(vectors[rows], targets[rows])
        return result

    def _block(self, vectors: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Computes ln p of a few rows; the softmax is summed up over parts of the vocabulary."""
        count = len(vectors)
        largest = np.full(count, -np.inf)
        total, wanted = np.zeros(count), np.zeros(count)
        for start in range(0, self.vocab_size, BLOCK_VOCABULARY):
            part = slice(start, start + BLOCK_VOCABULARY)
            logits = vectors @ self._embeddings[part].T
            logits += self._bias[part]  # [N, part of V]
            (here,) = np.nonzero((targets >= start) & (targets < start + BLOCK_VOCABULARY))
            wanted[here] = logits[here, targets[here] - start]
            before, largest = largest, np.maximum(largest, logits.max(axis=1))
            logits -= largest[:, np.newaxis].astype(np.float32)
            np.exp(logits, out=logits)
            total = total * np.exp(before - largest) + logits.sum(axis=1, dtype=np.float64)
        return np.asarray(wanted - largest - np.log(total))


def _of_direction(tensors: Mapping[str, np.ndarray], direction: str) -> dict[str, np.ndarray]:
    """Returns the arrays of the stack of one direction, as those of a stack that reads forwards."""
    own = {
        name.replace(f"/{direction}/", f"/{DIRECTIONS[0]}/"): array
        for name, array in tensors.items()
        if name.startswith("layer_") and f"/{direction}/" in name
    }
    return {**own, "embedding/embeddings": tensors["embedding/embeddings"]}
