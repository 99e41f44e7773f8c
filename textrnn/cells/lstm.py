"""Long short-term memory."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from textrnn.cells.base import RNNCell, States, checked_chrono_steps, chrono_bias

__all__ = ["LSTMCell"]


@keras.saving.register_keras_serializable(package="textrnn")
class LSTMCell(RNNCell):
    """A memory c that gates write, keep and read; h is what the gate o shows of it.

        i_t  = sigmoid(x_t U_i + h_{t-1} W_i + b_i)
        f_t  = sigmoid(x_t U_f + h_{t-1} W_f + b_f)
        c~_t = tanh(x_t U_c + h_{t-1} W_c + b_c)
        o_t  = sigmoid(x_t U_o + h_{t-1} W_o + b_o)
        c_t  = f_t * c_{t-1} + i_t * c~_t
        h_t  = o_t * tanh(c_t)

    From Hochreiter & Schmidhuber 1997, "Long Short-Term Memory", with the forget gate of Gers et
    al. 2000, whose bias starts at 1 (Jozefowicz et al. 2015). Weights, as in `keras.layers.LSTM`,
    gates in the order i, f, c, o: `kernel` U `[E, 4H]`, `recurrent_kernel` W `[H, 4H]`,
    `bias` b `[4H]`. States: h, then c, each `[B, H]`.

    Args:
        units: H.
        unit_forget_bias: Whether b_f starts at 1.
        chrono_steps: The longest dependency expected, in steps; b_f starts at `chrono_bias` and
            b_i at its negative. 0: off.
        **kwargs: As `RNNCell`.

    Raises:
        ConfigError: As `RNNCell`, or `chrono_steps` is 1, 2 or negative.
    """

    gate_count = 4
    state_count = 2

    def __init__(
        self, units: int, *, unit_forget_bias: bool = True, chrono_steps: int = 0, **kwargs: Any
    ) -> None:
        super().__init__(units, **kwargs)
        self.unit_forget_bias = unit_forget_bias
        self.chrono_steps = checked_chrono_steps(chrono_steps)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes the weights for inputs `[..., E]`."""
        self._add_kernel(input_shape)
        self._add_recurrent_kernel()
        self._add_bias((4 * self.units,))

    def _gate_biases(self) -> dict[int, tf.Tensor]:
        if self.chrono_steps:
            keep = chrono_bias(self.units, steps=self.chrono_steps, seed=self.seed)
            return {0: -keep, 1: keep}
        return {1: tf.ones([self.units])} if self.unit_forget_bias else {}

    def step(
        self, gates: tf.Tensor, states: States, *, dropout_mask: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, States]:
        """The equations above; see `RNNCell.step`."""
        h, c = states
        if dropout_mask is not None:
            h = h * dropout_mask
        gates = gates + tf.matmul(h, self.recurrent_kernel)  # [B, 4H]
        x_i, x_f, x_c, x_o = tf.split(gates, 4, axis=-1)
        i = tf.sigmoid(x_i)
        f = tf.sigmoid(x_f)
        candidate = tf.tanh(x_c)
        o = tf.sigmoid(x_o)
        c = f * c + i * candidate  # [B, H]
        h = o * tf.tanh(c)  # [B, H]
        return h, (h, c)

    def get_config(self) -> dict[str, Any]:
        """See `RNNCell.get_config`."""
        return {
            **super().get_config(),
            "unit_forget_bias": self.unit_forget_bias,
            "chrono_steps": self.chrono_steps,
        }
