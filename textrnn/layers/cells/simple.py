"""The simple (Elman) recurrent cell."""

from __future__ import annotations

import keras
import tensorflow as tf

from textrnn.layers.cells.base import States
from textrnn.layers.cells.nonlinear import NonlinearRNNCell

__all__ = ["SimpleRNNCell"]


@keras.saving.register_keras_serializable(package="textrnn")
class SimpleRNNCell(NonlinearRNNCell):
    """The state is a squashed sum of the input and the previous state.

        s_t = tanh(x_t U + s_{t-1} W + b)

    From Elman 1990, "Finding Structure in Time". Weights, as in `keras.layers.SimpleRNN`:
    `kernel` U `[E, H]`, `recurrent_kernel` W `[H, H]`, `bias` b `[H]`.

    >>> cell = SimpleRNNCell(3)
    >>> output, states = cell(tf.zeros([2, 5]), cell.get_initial_state(2))
    >>> output.shape, len(states)
    (TensorShape([2, 3]), 1)

    The arguments and errors are those of `RNNCell`.
    """

    gate_count = 1

    def combine(
        self, gates: tf.Tensor, recurrent: tf.Tensor, states: States
    ) -> tuple[States, States]:
        """Computes the equation above; see `NonlinearRNNCell.combine`."""
        s = tf.tanh(gates + recurrent)  # [B, H]
        return (s,), ()

    def combine_gradient(
        self, activations: States, states: States, new_states: States, gradients: States
    ) -> tuple[tf.Tensor, tf.Tensor, tuple[tf.Tensor | None, ...]]:
        """Computes `da = ds (1 - s^2)`; see `NonlinearRNNCell.combine_gradient`."""
        (s,), (d_s,) = new_states, gradients
        d_gates = tf.raw_ops.TanhGrad(y=s, dy=d_s)
        return d_gates, d_gates, (None,)
