"""Reads token ids with a network, from one state to the next, as `Streams` want it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .errors import ConfigError
from .labels import Labels
from .network.layer import LayerState
from .network.network import PIECE_TOKENS, Network, NetworkState
from .network.ngrams import NGramState
from .stream_snapshot import StateArrays

__all__ = ["Reader"]


class Reader:
    """Reads ids with a network; its states are lists of arrays `[B, ...]`.

    Args:
        network: A network that reads forwards only.
        label_space: The labels.

    Raises:
        ConfigError: The model needs the whole text at once.
    """

    def __init__(self, network: Network, label_space: Labels) -> None:
        settings = network.architecture
        if not settings.forwards:
            name, reason = (
                ("bidirectional", "the backward direction starts at the end of the text")
                if settings.bidirectional
                else ("pyramid", "a pyramid joins pairs of states, counted from the start")
            )
            raise ConfigError(
                f"`{name}` must be off to read a text piece by piece, because {reason}; train "
                f"another model with `{name}=False`."
            )
        self._network, self._label_space = network, label_space

    def start(self, texts: int, /) -> StateArrays:
        """Returns the state of texts of which nothing was read."""
        return _flat(self._network.start(texts))

    def read(self, state: StateArrays, ids: Sequence[Any], /) -> tuple[np.ndarray, StateArrays]:
        """Reads the next ids of some texts.

        Args:
            state: The state of the B texts.
            ids: The next ids of each text, any number per text.

        Returns:
            The probabilities `[B, C]` after these ids, and the new state.
        """
        rows = [np.asarray(row, np.int64) for row in ids]
        now = self._packed(state)
        for start in range(0, max(map(len, rows), default=0), PIECE_TOKENS):
            now = self._network.read(now, [row[start : start + PIECE_TOKENS] for row in rows])
        return self._label_space.probabilities(self._network.finish(now)), _flat(now)

    def read_each(
        self, state: StateArrays, ids: Sequence[int], /
    ) -> tuple[np.ndarray, StateArrays]:
        """Reads the next ids of one text, with the answer after each of them.

        Args:
            state: The state of the text.
            ids: The next ids `[T]`, at least one.

        Returns:
            The probabilities `[T, C]` after each id, and the new state.
        """
        logits, now = self._network.read_each(self._packed(state), np.asarray(ids, np.int64))
        return self._label_space.probabilities(logits), _flat(now)

    def _packed(self, arrays: StateArrays) -> NetworkState:
        """Returns the state that `_flat` has made arrays of."""
        remaining = iter(arrays)
        layers = []
        for layer in self._network.stack.layers:
            states = tuple(next(remaining)[np.newaxis] for _ in range(layer.cell.state_count))
            layers.append(LayerState(states, next(remaining).transpose(1, 0, 2)))
        summary = tuple(next(remaining) for _ in self._network.pooling.start(0))
        ngrams = None if self._network.ngrams is None else NGramState(*remaining)
        return NetworkState(layers, summary, ngrams)


def _flat(state: NetworkState) -> StateArrays:
    """Returns a state as arrays `[B, ...]`: those of the layers, of the head, of the n-grams."""
    arrays: StateArrays = []
    for layer in state.layers:
        arrays += [array[0] for array in layer.states]  # There is one direction.
        arrays.append(layer.before.transpose(1, 0, 2))
    return [*arrays, *state.summary, *(state.ngrams or ())]
