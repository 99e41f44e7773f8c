"""The gated recurrent unit."""

from __future__ import annotations

from typing import Any, ClassVar

import keras
import tensorflow as tf

from textrnn.layers.cells.base import NonlinearRNNCell, States, checked_chrono_steps, chrono_bias

__all__ = ["GRUCell"]


@keras.saving.register_keras_serializable(package="textrnn")
class GRUCell(NonlinearRNNCell):
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
    gate_places: ClassVar = {"update": 0, "reset": 1}

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

    @property
    def recurrent_bias(self) -> Any:
        """c."""
        return self.bias[1]

    def project(self, inputs: tf.Tensor) -> tf.Tensor:
        """`x_t U + b`; see `RNNCell.project`."""
        return self._project(inputs, self.bias[0])

    def combine(
        self, gates: tf.Tensor, recurrent: tf.Tensor, states: States
    ) -> tuple[States, States]:
        """The equations above; see `NonlinearRNNCell.combine`."""
        (h,) = states
        x_z, x_r, x_h = tf.split(gates, 3, axis=-1)
        h_z, h_r, h_h = tf.split(recurrent, 3, axis=-1)
        z = tf.sigmoid(x_z + h_z)
        r = tf.sigmoid(x_r + h_r)
        candidate = tf.tanh(x_h + r * h_h)
        h = z * h + (1.0 - z) * candidate  # [B, H]
        return (h,), (z, r, candidate, h_h)

    def combine_gradient(
        self, kept: States, states: States, new_states: States, gradients: States
    ) -> tuple[tf.Tensor, tf.Tensor, tuple[tf.Tensor | None, ...]]:
        """See `NonlinearRNNCell.combine_gradient`. With a' the gradient of a:

        x'_z     = h'_t (h_{t-1} - h~_t) z_t (1 - z_t)
        x'_h     = h'_t (1 - z_t) (1 - h~_t^2)     (h W_h + c_h)' = x'_h r_t
        x'_r     = x'_h (h_{t-1} W_h + c_h) r_t (1 - r_t)
        h'_{t-1} = h'_t z_t
        """
        z, r, candidate, h_h = kept
        (h,), (d_h,) = states, gradients
        kept_h = d_h * z
        d_z = tf.raw_ops.SigmoidGrad(y=z, dy=d_h * (h - candidate))
        d_candidate = tf.raw_ops.TanhGrad(y=candidate, dy=d_h - kept_h)
        d_r = tf.raw_ops.SigmoidGrad(y=r, dy=d_candidate * h_h)
        d_gates = tf.concat([d_z, d_r, d_candidate], axis=-1)
        d_recurrent = tf.concat([d_z, d_r, d_candidate * r], axis=-1)
        return d_gates, d_recurrent, (kept_h,)

    def get_config(self) -> dict[str, Any]:
        """See `RNNCell.get_config`."""
        return {**super().get_config(), "chrono_steps": self.chrono_steps}
