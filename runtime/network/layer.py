"""One recurrent layer: the window, the projection of the inputs, and the recurrence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .architecture import StackArchitecture
from .cells import CELLS, CellWeights, spans
from .token_gates import TokenGates

__all__ = ["Layer", "LayerState", "in_reading_order"]

CHUNK_STEPS = 256
"""The number of steps whose gates are computed at once, so that they take little memory."""

DIRECTIONS = ("forward", "backward")


@dataclass(frozen=True)
class LayerState:
    """What a layer remembers of B texts, in D directions.

    Attributes:
        states: The states of the cell, each `[D, B, H]`.
        before: The last w-1 inputs, `[w-1, B, E]`; of one direction, because only a layer that
            reads forwards reads texts in pieces.
    """

    states: tuple[np.ndarray, ...]
    before: np.ndarray


class Layer:
    """One recurrent layer, which reads in one direction or in both.

    Args:
        tensors: The arrays of the file.
        number: The number of the layer, from 0.
        architecture: The settings of the model.
    """

    def __init__(
        self, tensors: Mapping[str, np.ndarray], number: int, *, architecture: StackArchitecture
    ) -> None:
        directions = DIRECTIONS if architecture.bidirectional else DIRECTIONS[:1]
        names = [f"layer_{number}/{direction}" for direction in directions]
        recurrent = [tensors.get(f"{name}/recurrent_kernel") for name in names]
        self.cell = CELLS[architecture.cell](
            CellWeights(
                np.stack([tensors[f"{name}/kernel"] for name in names]),
                None if recurrent[0] is None else np.stack([r for r in recurrent if r is not None]),
                np.stack([tensors[f"{name}/bias"] for name in names]),
            )
        )
        self.window = architecture.window
        self.input_size = self.cell.kernel.shape[1] // self.window
        # The directions of a layer above the first one may be separate stacks.
        self.split = architecture.separate_directions and number > 0
        self._tokens: TokenGates | None = None
        embeddings = tensors["embedding/embeddings"]
        if number == 0 and TokenGates.fits(embeddings, self.cell.kernel):
            self._tokens = TokenGates(embeddings, self.cell.kernel, self.cell.bias)

    def start(self, texts: int) -> LayerState:
        """Returns the state of texts of which nothing was read."""
        cell = self.cell
        shape = (cell.directions, texts, cell.units)
        states = tuple(np.zeros(shape, np.float32) for _ in range(cell.state_count))
        return LayerState(states, np.zeros([self.window - 1, texts, self.input_size], np.float32))

    def read(
        self,
        inputs: np.ndarray,
        lengths: np.ndarray,
        state: LayerState,
        *,
        ids: np.ndarray | None = None,
    ) -> tuple[np.ndarray, LayerState]:
        """Reads texts, or the next pieces of texts.

        Args:
            inputs: `[T, B, E]`.
            lengths: The descending numbers `[B]` of inputs of the texts.
            state: The state before.
            ids: `[T, B]`, the tokens whose embeddings the inputs are; None: the inputs are others.

        Returns:
            The states `[T, B, D H]` of each step at the place of its input, 0 after the end of a
            text, and the state after.
        """
        tokens = None if ids is None else self._tokens
        source = inputs if ids is None or tokens is None else ids
        if self.cell.directions == 1:
            output, states = self._recur([source], lengths, state, tokens=tokens)
            joined = np.concatenate([state.before, inputs])
            places = lengths + np.arange(self.window - 1)[:, np.newaxis]  # [w-1, B]
            return output[:, 0], LayerState(states, joined[places, np.arange(len(lengths))])
        half = inputs.shape[-1] // 2
        ahead, back = (source[..., :half], source[..., half:]) if self.split else (source, source)
        sequences = [ahead, in_reading_order(back, lengths)]
        output, states = self._recur(sequences, lengths, state, tokens=tokens)
        both = [output[:, 0], in_reading_order(output[:, 1], lengths)]
        return np.concatenate(both, axis=-1), LayerState(states, state.before)

    def _recur(
        self,
        sequences: list[np.ndarray],
        lengths: np.ndarray,
        state: LayerState,
        *,
        tokens: TokenGates | None,
    ) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
        """Computes the recurrence over sequences in the order of reading, one per direction.

        The sequences are tokens if `tokens` is given, and inputs if not.
        """
        cell = self.cell
        steps, texts = sequences[0].shape[:2]
        if tokens is None and self.window > 1:
            sequences = [np.concatenate([state.before, sequence]) for sequence in sequences]
        states = tuple(np.array(array) for array in state.states)
        output = np.zeros([steps, cell.directions, texts, cell.units], np.float32)
        for start in range(0, steps, CHUNK_STEPS):
            stop = min(start + CHUNK_STEPS, steps)
            shape = [stop - start, cell.directions, texts, cell.kernel.shape[-1]]
            gates = np.empty(shape, np.float32)
            for direction, sequence in enumerate(sequences):
                if tokens is None:
                    gates[:, direction] = self._projected(sequence, direction, start, stop)
                else:
                    gates[:, direction] = tokens.gates(sequence, direction, start=start, stop=stop)
            if tokens is not None and start == 0:
                self._add_earlier(gates, state.before)
            for span in spans(lengths, start, stop):
                cell.run(
                    gates[span.start - start : span.stop - start, :, : span.rows],
                    [array[:, : span.rows] for array in states],
                    output[span.start : span.stop, :, : span.rows],
                )
        return output, states

    def _projected(self, padded: np.ndarray, direction: int, start: int, stop: int) -> np.ndarray:
        """Returns the projected inputs `[T, B, G*H]` of some steps."""
        cell, window = self.cell, self.window
        # Each step's own input is first.
        parts = [padded[start + k : stop + k] for k in range(window - 1, -1, -1)]
        joined = np.concatenate(parts, axis=-1) if window > 1 else parts[0]
        product = joined.reshape(-1, joined.shape[-1]) @ cell.kernel[direction]
        product += cell.bias[direction]
        return np.asarray(product.reshape(stop - start, padded.shape[1], -1))

    def _add_earlier(self, gates: np.ndarray, before: np.ndarray) -> None:
        """Adds to the gates `[T, D, B, G*H]` of the first steps what the inputs before them do.

        Args:
            gates: The gates, of one direction where there are inputs before.
            before: `[w-1, B, E]`, the last inputs of the pieces that were read before.
        """
        if not before.any():
            return
        earlier = self.window - 1
        for step in range(min(earlier, len(gates))):
            for k in range(step + 1, self.window):
                weights = self.cell.kernel[0, k * self.input_size : (k + 1) * self.input_size]
                gates[step, 0] += before[earlier + step - k] @ weights


def in_reading_order(sequence: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Reverses each text up to its length: `[T, B, E]` to `[T, B, E]`.

    >>> in_reading_order(np.array([[[1.0]], [[2.0]], [[0.0]]]), np.array([2])).ravel().tolist()
    [2.0, 1.0, 0.0]

    Args:
        sequence: The sequences.
        lengths: The number `[B]` of real steps of each.
    """
    steps = len(sequence)
    if (lengths == steps).all():
        return sequence[::-1]
    place = np.arange(steps)[:, np.newaxis]  # [T, 1]
    place = np.where(place < lengths, lengths - 1 - place, place)
    return sequence[place, np.arange(sequence.shape[1])]
