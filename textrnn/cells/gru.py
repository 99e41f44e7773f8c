"""The gated recurrent unit."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from textrnn.cells.base import RNNCell, States, checked_chrono_steps, chrono_bias

__all__ = ["GRUCell"]


@keras.saving.register_keras_serializable(package="textrnn")
class GRUCell(RNNCell):
    """A gate z keeps the old state, a gate r resets what the candidate sees of it.

        z_t  = sigmoid(x_t U_z + b_z + h_{t-1} W_z + c_z)
        r_t  = sigmoid(x_t U_r + b_r + h_{t-1} W_r + c_r)
        h~_t = tanh(x_t U_h + b_h + r_t * (h_{t-1} W_h + c_h))
        h_t  = z_t * h_{t-1} + (1 - z_t) * h~_t

    From Cho et al. 2014, "Learning Phrase Representations using RNN Encoder-Decoder", in the form
    whose reset gate acts after the matrix product (as cuDNN's and Keras' `reset_after=True`).
    Weights, as in `keras.layers.GRU`, gates in the order z, r, h: `kernel` U `[E, 3H]`,
    `recurrent_kernel` W `[H, 3H]`, `bias` `[2, 3H]` (b, then c).

    Args:
        units: H.
        chrono_steps: The longest dependency expected, in steps; b_z starts at `chrono_bias`.
            0: off.
        **kwargs: As `RNNCell`.

    Raises:
        ConfigError: As `RNNCell`, or `chrono_steps` is 1, 2 or negative.
    """

    gate_count = 3

    def __init__(self, units: int, *, chrono_steps: int = 0, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.chrono_steps = checked_chrono_steps(chrono_steps)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes the weights for inputs `[..., E]`."""
        self._add_kernel(input_shape)
        self._add_recurrent_kernel()
        self._add_bias((2, 3 * self.units))

    def _gate_biases(self) -> dict[int, tf.Tensor]:
        if not self.chrono_steps:
            return {}
        return {0: chrono_bias(self.units, steps=self.chrono_steps, seed=self.seed)}

    def project(self, inputs: tf.Tensor) -> tf.Tensor:
        """`x_t U + b`; see `RNNCell.project`."""
        return tf.tensordot(inputs, self.kernel, axes=1) + self.bias[0]

    def step(
        self, gates: tf.Tensor, states: States, *, dropout_mask: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, States]:
        """The equations above; see `RNNCell.step`."""
        (h,) = states
        seen = h if dropout_mask is None else h * dropout_mask
        recurrent = tf.matmul(seen, self.recurrent_kernel) + self.bias[1]  # [B, 3H]
        x_z, x_r, x_h = tf.split(gates, 3, axis=-1)
        h_z, h_r, h_h = tf.split(recurrent, 3, axis=-1)
        z = tf.sigmoid(x_z + h_z)
        r = tf.sigmoid(x_r + h_r)
        candidate = tf.tanh(x_h + r * h_h)
        h = z * h + (1.0 - z) * candidate  # [B, H]
        return h, (h,)

    def get_config(self) -> dict[str, Any]:
        """See `RNNCell.get_config`."""
        return {**super().get_config(), "chrono_steps": self.chrono_steps}
