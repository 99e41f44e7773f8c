"""Whole recurrences in one call of cuDNN, on an NVIDIA GPU.

cuDNN reads rows of different lengths whose inputs stand at the beginning. So the inputs of each row
are moved there, in their order, whatever the mask is, and the results are read from there:

    n_t = the number of inputs of a row before time t
    forwards    output_t = h_0             where n_{t+1} = 0, else result[n_{t+1} - 1]
    backwards   output_t = h_0             where no input is at t or after it, else result[n_t]

This gives the results of the written-out loop, which keeps state and output where there is no
input. A row without any input is computed with the length 1, which is the least that cuDNN takes;
none of its results are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from textrnn.layers.cells import NonlinearRNNCell, States
from textrnn.layers.recurrence.cudnn_parameters import cudnn_mode, parameters_to_cudnn
from textrnn.layers.recurrence.devices import on_host

__all__ = ["CudnnDirection", "cudnn"]


class CudnnDirection(NamedTuple):
    """One direction of a layer.

    Attributes:
        cell: A `SimpleRNNCell`, `GRUCell` or `LSTMCell`, built.
        states: The states before the first step, each `[B, H]`.
    """

    cell: NonlinearRNNCell
    states: States


def cudnn(
    inputs: tf.Tensor,
    *,
    mask: tf.Tensor | None,
    forward: CudnnDirection | None = None,
    backward: CudnnDirection | None = None,
) -> list[tuple[tf.Tensor, States]]:
    """Applies a cell along time in one direction, or one cell in each direction, in one operation.

    Args:
        inputs: `[T, B, E]`, before the cell's projection.
        mask: `[T, B]` of bool, True where there is input; None: everywhere.
        forward: The direction from 0 to T-1.
        backward: The direction from T-1 to 0. At least one direction must be given.

    Returns:
        For each direction that is given, forward first: the outputs `[T, B, H]` at the places of
        their inputs, and the states after the last step, each `[B, H]`; as `unroll` does.

    Raises:
        ConfigError: cuDNN does not have the cell.
        LookupError: By TensorFlow, if a second derivative is computed; the unroll kernel has it.
    """
    reading = _Reading(mask, reverse=forward is None)
    directions = [direction for direction in (forward, backward) if direction is not None]
    results = _call(reading.compacted(inputs), reading.lengths(inputs), directions)
    if len(directions) == 1:
        return [reading.spread(*results[0], states=directions[0].states)]
    ahead, back = results
    return [
        reading.spread(*ahead, states=directions[0].states),
        reading.spread(*back, states=directions[1].states, backward=True),
    ]


class _Reading:
    """Where the inputs of each row stand, in the order of reading.

    The places are computed on the host, where cuDNN wants the lengths; see `on_host`.

    Args:
        mask: `[T, B]` of bool, or None.
        reverse: Whether the only direction is the one from T-1 to 0; it is computed forwards, on
            inputs in the opposite order.
    """

    def __init__(self, mask: tf.Tensor | None, *, reverse: bool) -> None:
        self.reverse = reverse
        self.mask = mask
        if mask is not None:
            with on_host():
                self.mask = tf.reverse(mask, axis=[0]) if reverse else mask  # In reading order.
                self.counts = tf.cumsum(tf.cast(self.mask, tf.int32))  # [T, B]: n_{t+1}

    def compacted(self, inputs: tf.Tensor) -> tf.Tensor:
        """The inputs `[T, B, E]`, those of each row moved to its beginning."""
        ordered = tf.reverse(inputs, axis=[0]) if self.reverse else inputs
        if self.mask is None:
            return ordered
        with on_host():
            steps = tf.shape(self.mask)[0]
            times = tf.range(steps)[:, tf.newaxis]
            # All keys differ, so any sort keeps the order of the inputs.
            places = tf.argsort(tf.where(self.mask, times, times + steps), axis=0)
        return _at(ordered, places)

    def lengths(self, inputs: tf.Tensor) -> tf.Tensor:
        """The number of inputs of each row, `[B]`, at least 1."""
        with on_host():
            steps, rows = tf.unstack(tf.shape(inputs)[:2])
            return tf.fill([rows], steps) if self.mask is None else tf.maximum(self.counts[-1], 1)

    def spread(
        self, outputs: tf.Tensor, finals: States, *, states: States, backward: bool = False
    ) -> tuple[tf.Tensor, States]:
        """The outputs `[T, B, H]` at the places of their inputs, and the final states.

        Args:
            outputs: cuDNN's, `[T, B, H]`.
            finals: cuDNN's, each `[B, H]`.
            states: The initial states.
            backward: Whether this is the second of two directions.
        """
        if self.mask is not None:
            first = states[0][tf.newaxis]
            with on_host():
                total = self.counts[-1]
                before = self.counts - tf.cast(self.mask, tf.int32)
                places = tf.where(before < total, before, tf.shape(self.mask)[0])
            if backward:
                outputs = _at(tf.concat([outputs, first], axis=0), places)
            else:
                outputs = _at(tf.concat([first, outputs], axis=0), self.counts)
            some = (total > 0)[:, tf.newaxis]
            finals = tuple(
                tf.where(some, final, start) for final, start in zip(finals, states, strict=True)
            )
        return tf.reverse(outputs, axis=[0]) if self.reverse else outputs, finals


def _at(values: tf.Tensor, places: tf.Tensor) -> tf.Tensor:
    """Rows of `values` `[S, B, H]` at the places `[T, B]` in time: `[T, B, H]`."""
    with on_host():
        rows = tf.shape(values)[1]
        places = places * rows + tf.range(rows)
    flat = tf.reshape(values, tf.concat([[-1], tf.shape(values)[2:]], axis=0))
    taken = tf.gather(flat, places)
    return tf.ensure_shape(taken, [*places.shape, *values.shape[2:]])


def _call(
    inputs: tf.Tensor, lengths: tf.Tensor, directions: Sequence[CudnnDirection]
) -> list[tuple[tf.Tensor, States]]:
    """Calls cuDNN: the outputs and the final states of each direction."""
    cells = [direction.cell for direction in directions]
    parameters = parameters_to_cudnn(cells)
    starts = [tf.stack(states) for states in zip(*(d.states for d in directions), strict=True)]
    count = len(starts)
    # [D, B, H]; cuDNN ignores c where the cell has none.
    result: Any = tf.raw_ops.CudnnRNNV3(
        input=tf.cast(inputs, parameters.dtype),
        input_h=starts[0],
        input_c=starts[-1],
        params=parameters,
        sequence_lengths=lengths,
        rnn_mode=cudnn_mode(cells[0]),
        direction="bidirectional" if len(directions) == 2 else "unidirectional",
        is_training=True,
        time_major=True,
    )
    outputs = tf.split(result.output, len(directions), axis=-1)
    finals = [tf.unstack(state, num=len(directions)) for state in result[1 : 1 + count]]
    shape = [*inputs.shape[:2], cells[0].output_size]
    return [
        (tf.ensure_shape(outputs[i], shape), tuple(final[i] for final in finals))
        for i in range(len(directions))
    ]
