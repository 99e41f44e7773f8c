"""The network: token ids to logits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import ModelError
from .architecture import Architecture
from .layer import LayerState
from .ngrams import NGrams, NGramState
from .pooling import Summary, make_pooling
from .stack import Stack

__all__ = ["Network", "NetworkState"]

PIECE_TOKENS = 256
"""The number of tokens that are read at once of texts that are read in pieces."""


@dataclass(frozen=True)
class NetworkState:
    """What a network remembers of B texts of which it reads the next piece.

    Attributes:
        layers: The states of the layers.
        summary: The summary of the head.
        ngrams: The state of the n-grams; None without n-grams.
    """

    layers: list[LayerState]
    summary: Summary
    ngrams: NGramState | None


class Network:
    """A trained classifier of token ids, which `textrnn.TextClassifier` explains.

    The network never changes, and several threads may call it at the same time.

    Args:
        tensors: The arrays of the file.
        architecture: The settings of the model.

    Raises:
        ModelError: An array is missing, or the arrays do not fit each other.
    """

    def __init__(self, tensors: Mapping[str, np.ndarray], architecture: Architecture) -> None:
        self.architecture = architecture
        try:
            self._embeddings = tensors["embedding/embeddings"]
            self.kernel, self.bias = tensors["classify/kernel"], tensors["classify/bias"]
            self.stack = Stack(tensors, architecture)
            self.pooling = make_pooling(tensors, architecture, units=len(self.kernel))
            self.ngrams = None
            if architecture.ngram_once_in is not None:
                self.ngrams = NGrams(tensors, once_in=architecture.ngram_once_in)
        except (KeyError, ValueError, IndexError) as error:
            raise ModelError(
                f"expected the arrays of a {architecture.cell} model, got others ({error}); write "
                "the file again."
            ) from None

    @property
    def vocab_size(self) -> int:
        """V."""
        return len(self._embeddings)

    @property
    def classes(self) -> int:
        """C."""
        return len(self.bias)

    def logits(self, ids: Sequence[np.ndarray]) -> np.ndarray:
        """Returns the logits `[B, C]` of whole texts.

        Args:
            ids: The ids `[T]` of each text.
        """
        if self.architecture.forwards and max(map(len, ids), default=0) > PIECE_TOKENS:
            state = self.start(len(ids))
            for start in range(0, max(map(len, ids)), PIECE_TOKENS):
                state = self.read(state, [row[start : start + PIECE_TOKENS] for row in ids])
            return self.finish(state)
        return self.finish(self.read(self.start(len(ids)), ids))

    def start(self, texts: int) -> NetworkState:
        """Returns the state of texts of which nothing was read."""
        return NetworkState(
            self.stack.start(texts),
            self.pooling.start(texts),
            None if self.ngrams is None else self.ngrams.start(texts),
        )

    def read(self, state: NetworkState, ids: Sequence[np.ndarray]) -> NetworkState:
        """Reads the next ids of some texts; a model that needs whole texts must get all of them.

        Args:
            state: The state before.
            ids: The ids `[T]` of each text.
        """
        ngrams = state.ngrams
        if self.ngrams is not None and ngrams is not None:
            ngrams = self.ngrams.read(ids, ngrams)
        lengths = np.array([len(row) for row in ids])
        order = np.argsort(-lengths, kind="stable")
        if not len(order) or not lengths[order[0]]:
            return NetworkState(state.layers, state.summary, ngrams)
        back = np.argsort(order)
        layers = [_reordered(layer, order) for layer in state.layers]
        states, state_lengths, layers = self.states([ids[i] for i in order], layers)
        summary = self.pooling.add(
            tuple(array[order] for array in state.summary), states, state_lengths
        )
        return NetworkState(
            [_reordered(layer, back) for layer in layers],
            tuple(array[back] for array in summary),
            ngrams,
        )

    def read_each(self, state: NetworkState, ids: np.ndarray) -> tuple[np.ndarray, NetworkState]:
        """Reads the next ids of one text, with the logits after each of them.

        Args:
            state: The state before.
            ids: The ids `[T]`, at least one.

        Returns:
            The logits `[T, C]`, and the new state.
        """
        states, _, layers = self.states([ids], state.layers)
        summary, ngrams, logits = state.summary, state.ngrams, []
        for place in range(len(ids)):
            summary = self.pooling.add(summary, states[place : place + 1], np.ones(1, np.int64))
            if self.ngrams is not None and ngrams is not None:
                ngrams = self.ngrams.read([ids[place : place + 1]], ngrams)
            logits.append(self.finish(NetworkState(layers, summary, ngrams))[0])
        return np.array(logits), NetworkState(layers, summary, ngrams)

    def states(
        self, ids: Sequence[np.ndarray], layers: Sequence[LayerState]
    ) -> tuple[np.ndarray, np.ndarray, list[LayerState]]:
        """Returns the states of the last layer; see `Stack.read`.

        Args:
            ids: The ids of each text, in descending order of length; the first is not empty.
            layers: The states of the layers before.
        """
        lengths = np.array([len(row) for row in ids])
        padded = np.zeros([lengths[0], len(ids)], np.int64)  # [T, B]
        for place, row in enumerate(ids):
            padded[: len(row), place] = row
        return self.stack.read(padded, lengths, layers)

    def finish(self, state: NetworkState) -> np.ndarray:
        """Returns the logits `[B, C]` of texts as far as they were read."""
        logits = self.pooling.finish(state.summary) @ self.kernel + self.bias
        if self.ngrams is not None and state.ngrams is not None:
            logits = logits + self.ngrams.finish(state.ngrams)
        return np.asarray(logits)


def _reordered(layer: LayerState, order: np.ndarray) -> LayerState:
    """Returns the state of a layer with the texts in another order."""
    return LayerState(tuple(array[:, order] for array in layer.states), layer.before[:, order])
