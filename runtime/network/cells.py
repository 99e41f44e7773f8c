"""The recurrent cells in NumPy: one layer, in one direction or in both at once.

The equations are in `textrnn.layers.cells`. A sigmoid is computed as `(1 + tanh(x / 2)) / 2`, so
that one call computes all gates of a step; the weights of gates are halved in advance.

Arrays are time-major: `[T, D, B, G*H]`, D the number of directions (1 or 2), B the number of texts,
in descending order of length. Where a text has ended, its row is not computed any more.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["CELLS", "Cell", "CellWeights", "Span", "spans"]


@dataclass(frozen=True)
class CellWeights:
    """The weights of a layer, as the cells of `textrnn.layers.cells` have them, for D directions.

    Attributes:
        kernel: `[D, E, G*H]`.
        recurrent_kernel: `[D, H, G*H]`; None for a linear cell.
        bias: `[D, G*H]`; for the GRU `[D, 2, 3H]`.
    """

    kernel: np.ndarray
    recurrent_kernel: np.ndarray | None
    bias: np.ndarray


@dataclass(frozen=True)
class Span:
    """Steps of which the same texts are read.

    Attributes:
        start: The first step.
        stop: The step after the last one.
        rows: The number of texts, which are the first ones.
    """

    start: int
    stop: int
    rows: int


def spans(lengths: np.ndarray, start: int, stop: int) -> Iterator[Span]:
    """Yields the spans of some steps.

    >>> [(s.start, s.stop, s.rows) for s in spans(np.array([5, 3, 3]), 0, 4)]
    [(0, 3, 3), (3, 4, 1)]

    Args:
        lengths: The descending lengths of the texts, `[B]`.
        start: The first step.
        stop: The step after the last one.
    """
    for rows in range(len(lengths), 0, -1):
        end = min(int(lengths[rows - 1]), stop)
        if end > start:
            yield Span(start, end, rows)
            start = end


class Cell(ABC):
    """A recurrent cell with its weights.

    Args:
        weights: The weights.
    """

    state_count = 1

    def __init__(self, weights: CellWeights) -> None:
        self.kernel, self.bias = self.gates_halved(weights.kernel), weights.bias
        self.directions = len(self.kernel)

    @property
    @abstractmethod
    def units(self) -> int:
        """H."""

    @abstractmethod
    def gates_halved(self, array: np.ndarray) -> np.ndarray:
        """Returns weights `[..., G*H]` in the order of this class, those of gates halved."""

    @abstractmethod
    def run(self, gates: np.ndarray, states: Sequence[np.ndarray], output: np.ndarray) -> None:
        """Reads some steps of texts that all have them.

        Args:
            gates: `[T, D, B, G*H]`, the projected inputs with their bias.
            states: The states `[D, B, H]` before, which become those after the steps.
            output: `[T, D, B, H]`, receives the outputs.
        """


def _halved(array: np.ndarray, gates: int, units: int) -> np.ndarray:
    """Returns a copy of weights `[..., G*H]` whose first `gates` gates are halved."""
    array = np.array(array, np.float32)
    array[..., : gates * units] *= np.float32(0.5)
    return array


def _sigmoid_of_half(array: np.ndarray) -> None:
    """Replaces x / 2 by the sigmoid of x."""
    np.tanh(array, out=array)
    array *= np.float32(0.5)
    array += np.float32(0.5)


class _NonlinearCell(Cell):
    """A cell that multiplies the old state by a matrix."""

    def __init__(self, weights: CellWeights) -> None:
        if weights.recurrent_kernel is None:
            raise ValueError("expected a recurrent kernel, got none.")
        self._units: int = weights.recurrent_kernel.shape[1]
        super().__init__(weights)
        self.recurrent_kernel = self.gates_halved(weights.recurrent_kernel)

    @property
    def units(self) -> int:
        """See `Cell.units`."""
        return self._units


class SimpleCell(_NonlinearCell):
    """See `textrnn.SimpleRNNCell`."""

    def gates_halved(self, array: np.ndarray) -> np.ndarray:
        """See `Cell.gates_halved`; there are no gates."""
        return array

    def run(self, gates: np.ndarray, states: Sequence[np.ndarray], output: np.ndarray) -> None:
        """See `Cell.run`."""
        (state,) = states
        h = state
        for gate, out in zip(gates, output, strict=True):
            np.matmul(h, self.recurrent_kernel, out=out)
            out += gate
            h = np.tanh(out, out=out)
        state[:] = h


class GRUCell(_NonlinearCell):
    """See `textrnn.GRUCell`."""

    def __init__(self, weights: CellWeights) -> None:
        super().__init__(weights)
        units = self.units
        inputs, recurrent = self.gates_halved(weights.bias).transpose(1, 0, 2)  # [D, 3H] each
        self.candidate_bias = recurrent[:, np.newaxis, 2 * units :].copy()  # [D, 1, H]
        # The two biases of a gate are only ever added.
        self.bias = inputs + np.concatenate(
            [recurrent[:, : 2 * units], np.zeros_like(recurrent[:, 2 * units :])], axis=1
        )

    def gates_halved(self, array: np.ndarray) -> np.ndarray:
        """See `Cell.gates_halved`; the gates z and r come first."""
        return _halved(array, 2, self.units)

    def run(self, gates: np.ndarray, states: Sequence[np.ndarray], output: np.ndarray) -> None:
        """See `Cell.run`."""
        (state,) = states
        units, h = self.units, state
        product = np.empty_like(gates[0])
        both, candidate = product[..., : 2 * units], product[..., 2 * units :]
        z, r = both[..., :units], both[..., units:]
        for gate, out in zip(gates, output, strict=True):
            np.matmul(h, self.recurrent_kernel, out=product)
            both += gate[..., : 2 * units]
            _sigmoid_of_half(both)
            candidate += self.candidate_bias
            candidate *= r
            candidate += gate[..., 2 * units :]
            np.tanh(candidate, out=candidate)
            np.subtract(h, candidate, out=out)
            out *= z
            out += candidate
            h = out
        state[:] = h


class LSTMCell(_NonlinearCell):
    """See `textrnn.LSTMCell`."""

    state_count = 2

    def __init__(self, weights: CellWeights) -> None:
        super().__init__(weights)
        self.bias = self.gates_halved(weights.bias)

    def gates_halved(self, array: np.ndarray) -> np.ndarray:
        """See `Cell.gates_halved`; the order i, f, c, o becomes i, f, o, c."""
        i, f, c, o = np.split(np.asarray(array), 4, axis=-1)
        return _halved(np.concatenate([i, f, o, c], axis=-1), 3, self.units)

    def run(self, gates: np.ndarray, states: Sequence[np.ndarray], output: np.ndarray) -> None:
        """See `Cell.run`."""
        state, memory = states
        units, h, c = self.units, state, memory.copy()
        product = np.empty_like(gates[0])
        three, candidate = product[..., : 3 * units], product[..., 3 * units :]
        i, f, o = (three[..., k * units : (k + 1) * units] for k in range(3))
        for gate, out in zip(gates, output, strict=True):
            np.matmul(h, self.recurrent_kernel, out=product)
            product += gate
            np.tanh(product, out=product)
            three *= np.float32(0.5)
            three += np.float32(0.5)
            c *= f
            candidate *= i
            c += candidate
            np.tanh(c, out=candidate)
            h = np.multiply(o, candidate, out=out)
        state[:], memory[:] = h, c


class _LinearCell(Cell):
    """A cell whose new state is `decay_t * h_{t-1} + update_t`."""

    gate_count: int

    def __init__(self, weights: CellWeights) -> None:
        self._units: int = weights.kernel.shape[-1] // self.gate_count
        super().__init__(weights)
        self.bias = self.gates_halved(weights.bias)

    @property
    def units(self) -> int:
        """See `Cell.units`."""
        return self._units

    def gates_halved(self, array: np.ndarray) -> np.ndarray:
        """See `Cell.gates_halved`; the candidate comes last."""
        return _halved(array, self.gate_count - 1, self.units)

    @abstractmethod
    def coefficients(self, gates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns decay and update, `[T, D, B, H]` each; the gates may be overwritten."""

    def run(self, gates: np.ndarray, states: Sequence[np.ndarray], output: np.ndarray) -> None:
        """See `Cell.run`."""
        (state,) = states
        decay, update = self.coefficients(gates)
        h = state
        for a, b, out in zip(decay, update, output, strict=True):
            np.multiply(a, h, out=out)
            out += b
            h = out
        state[:] = h


class MinGRUCell(_LinearCell):
    """See `textrnn.MinGRUCell`."""

    gate_count = 2

    def coefficients(self, gates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `_LinearCell.coefficients`."""
        z, candidate = gates[..., : self.units], gates[..., self.units :]
        _sigmoid_of_half(z)
        candidate *= z
        return np.subtract(np.float32(1.0), z, out=z), candidate


class MinLSTMCell(_LinearCell):
    """See `textrnn.MinLSTMCell`."""

    gate_count = 3

    def coefficients(self, gates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `_LinearCell.coefficients`."""
        units = self.units
        _sigmoid_of_half(gates[..., : 2 * units])
        f, i, candidate = (gates[..., k * units : (k + 1) * units] for k in range(3))
        i += f
        # Where both gates are too small for the dtype, the first quotient is 0.
        decay = np.divide(f, i, out=np.zeros_like(f), where=i != 0.0)
        candidate *= np.float32(1.0) - decay
        return decay, candidate


CELLS: dict[str, type[Cell]] = {
    "simple": SimpleCell,
    "gru": GRUCell,
    "lstm": LSTMCell,
    "mingru": MinGRUCell,
    "minlstm": MinLSTMCell,
}
"""The cells by their names in settings."""
