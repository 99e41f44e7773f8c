"""The simple (Elman) recurrent cell."""

from __future__ import annotations

import keras
import tensorflow as tf

from textrnn.cells.base import RNNCell, States

__all__ = ["SimpleRNNCell"]


@keras.saving.register_keras_serializable(package="textrnn")
class SimpleRNNCell(RNNCell):
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

    def step(
        self, gates: tf.Tensor, states: States, *, dropout_mask: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, States]:
        """The equation above; see `RNNCell.step`."""
        (s,) = states
        if dropout_mask is not None:
            s = s * dropout_mask
        s = tf.tanh(gates + tf.matmul(s, self.recurrent_kernel))  # [B, H]
        return s, (s,)
