"""The simple (Elman) recurrent cell."""

from __future__ import annotations

import keras
import tensorflow as tf

from textrnn.layers.cells.base import NonlinearRNNCell, States

__all__ = ["SimpleRNNCell"]


@keras.saving.register_keras_serializable(package="textrnn")
class SimpleRNNCell(NonlinearRNNCell):
    """The state is a squashed sum of the input and the previous state.

        s_t = tanh(x_t U + s_{t-1} W + b)

    From Elman 1990, "Finding Structure in Time". Weights, as in `keras.layers.SimpleRNN`:
    `kernel` U `[E, H]`, `recurrent_kernel` W `[H, H]`, `bias` b `[H]`.

    Args, raises: As `RNNCell`.
    """

    gate_count = 1

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes the weights for inputs `[..., E]`."""
        self._add_kernel(input_shape)
        self._add_recurrent_kernel()
        self._add_bias((self.units,))

    def combine(
        self, gates: tf.Tensor, recurrent: tf.Tensor, states: States
    ) -> tuple[States, States]:
        """The equation above; see `NonlinearRNNCell.combine`."""
        s = tf.tanh(gates + recurrent)  # [B, H]
        return (s,), ()

    def combine_gradient(
        self, kept: States, states: States, new_states: States, gradients: States
    ) -> tuple[tf.Tensor, tf.Tensor, tuple[tf.Tensor | None, ...]]:
        """`da = ds (1 - s^2)`; see `NonlinearRNNCell.combine_gradient`."""
        (s,), (d_s,) = new_states, gradients
        d_gates = tf.raw_ops.TanhGrad(y=s, dy=d_s)
        return d_gates, d_gates, (None,)
