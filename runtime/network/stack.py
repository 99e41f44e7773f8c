"""The recurrent layers on top of each other; `textrnn.layers.stack.RNNStack` in NumPy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from .architecture import StackArchitecture
from .layer import Layer, LayerState

__all__ = ["Stack", "halve_time"]

EPSILON = np.float32(1e-3)
"""What `keras.layers.LayerNormalization` adds to a variance."""


class Stack:
    """The recurrent layers of a model; none for a bag of embeddings.

    Args:
        tensors: The arrays of the file.
        architecture: The settings of the model.
    """

    def __init__(self, tensors: Mapping[str, np.ndarray], architecture: StackArchitecture) -> None:
        count = 0 if architecture.cell == "none" else architecture.layers
        self.architecture, self._embeddings = architecture, tensors["embedding/embeddings"]
        self.layers = [Layer(tensors, i, architecture=architecture) for i in range(count)]
        self._norms = [
            (tensors[f"layer_{i}/norm/gamma"], tensors[f"layer_{i}/norm/beta"])
            for i in range(count)
            if architecture.layer_norm
        ]

    def start(self, texts: int) -> list[LayerState]:
        """Returns the states of the layers of which nothing was read."""
        return [layer.start(texts) for layer in self.layers]

    def read(
        self, ids: np.ndarray, lengths: np.ndarray, states: Sequence[LayerState]
    ) -> tuple[np.ndarray, np.ndarray, list[LayerState]]:
        """Reads texts, or the next pieces of texts.

        Args:
            ids: The tokens `[T, B]`.
            lengths: The descending numbers `[B]` of tokens.
            states: The states before.

        Returns:
            The states `[T', B, H']` of the last layer, their number `[B]` for each text, and the
            states after. What follows the end of a text has no meaning.
        """
        settings, after = self.architecture, []
        sequence = self._embeddings[ids]
        for number, (layer, state) in enumerate(zip(self.layers, states, strict=True)):
            if number > 0 and settings.pyramid:
                sequence, lengths = halve_time(sequence, lengths)
            of = ids if number == 0 else None
            output, state = layer.read(sequence, lengths, state, ids=of)
            after.append(state)
            if settings.residual and settings.separate_directions and number == 0:
                sequence = np.concatenate([sequence, sequence], axis=-1)
            if settings.residual and sequence.shape[-1] == output.shape[-1]:
                output = output + sequence
            sequence = self._normalized(output, number) if settings.layer_norm else output
        return sequence, lengths, after

    def _normalized(self, states: np.ndarray, number: int) -> np.ndarray:
        gamma, beta = self._norms[number]
        centred = states - states.mean(axis=-1, keepdims=True)
        variance = np.square(centred).mean(axis=-1, keepdims=True)
        return np.asarray(centred / np.sqrt(variance + EPSILON) * gamma + beta)


def halve_time(sequence: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Joins states 2t and 2t+1 into one of twice the size: `[T, B, H]` to `[ceil(T/2), B, 2H]`.

    The half of a pair that is after the end of a text is zero.

    Args:
        sequence: The states.
        lengths: The number `[B]` of states of each text.

    Returns:
        The pairs, and their number for each text.
    """
    steps, texts, size = sequence.shape
    pairs = np.zeros([steps + steps % 2, texts, size], np.float32)
    pairs[:steps] = sequence
    pairs[np.arange(len(pairs))[:, np.newaxis] >= lengths] = 0.0
    joined = pairs.reshape(-1, 2, texts, size).transpose(0, 2, 1, 3).reshape(-1, texts, 2 * size)
    return joined, (lengths + 1) // 2
