"""The gated recurrent unit."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import keras
import tensorflow as tf

from textrnn.layers.cells.base import States
from textrnn.layers.cells.chrono import checked_chrono_steps, chrono_bias
from textrnn.layers.cells.nonlinear import NonlinearRNNCell

__all__ = ["GRUCell"]


class GRUActivations(NamedTuple):
    """The values that a step saves for its gradient, each `[B, H]`."""

    update_gate: tf.Tensor
    """z."""

    reset_gate: tf.Tensor
    """r."""

    candidate: tf.Tensor
    """h~."""

    recurrent: tf.Tensor
    """h W_h + c_h."""


@keras.saving.register_keras_serializable(package="textrnn")
class GRUCell(NonlinearRNNCell):
    """A gate z keeps the old state, and a gate r resets what the candidate sees of it.

        z_t  = sigmoid(x_t U_z + b_z + h_{t-1} W_z + c_z)
        r_t  = sigmoid(x_t U_r + b_r + h_{t-1} W_r + c_r)
        h~_t = tanh(x_t U_h + b_h + r_t * (h_{t-1} W_h + c_h))
        h_t  = z_t * h_{t-1} + (1 - z_t) * h~_t

    From Cho et al. 2014, "Learning Phrase Representations using RNN Encoder-Decoder", in the form
    whose reset gate acts after the matrix product (as in cuDNN, and in Keras with `reset_after`).
    Weights, as in `keras.layers.GRU`, gates in the order z, r, h: `kernel` U `[E, 3H]`,
    `recurrent_kernel` W `[H, 3H]`, `bias` `[2, 3H]` (b, then c).

    >>> cell = GRUCell(3)
    >>> output, states = cell(tf.zeros([2, 5]), cell.get_initial_state(2))
    >>> output.shape, len(states)
    (TensorShape([2, 3]), 1)

    Args:
        units: H.
        chrono_steps: The longest expected dependency, in steps; b_z starts at `chrono_bias`.
            0: off.
        **kwargs: The other arguments of `RNNCell`.

    Raises:
        ConfigError: As in `RNNCell`, or `chrono_steps` is 1, 2 or negative.
    """

    gate_count = 3
    gate_places: ClassVar = {"update": 0, "reset": 1}

    def __init__(self, units: int, *, chrono_steps: int = 0, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.chrono_steps = checked_chrono_steps(chrono_steps)

    @property
    def bias_shape(self) -> tuple[int, ...]:
        """The shape of `bias`: b, then c."""
        return (2, 3 * self.units)

    @property
    def input_bias(self) -> Any:
        """b."""
        return self.bias[0]

    @property
    def recurrent_bias(self) -> Any:
        """c."""
        return self.bias[1]

    def gate_biases(self) -> dict[int, tf.Tensor]:
        """Returns the start value of b_z; see `RNNCell.gate_biases`."""
        if not self.chrono_steps:
            return {}
        return {0: chrono_bias(self.units, steps=self.chrono_steps, seed=self.seed)}

    def combine(
        self, gates: tf.Tensor, recurrent: tf.Tensor, states: States
    ) -> tuple[States, States]:
        """Computes the equations above; see `NonlinearRNNCell.combine`."""
        (h,) = states
        x_z, x_r, x_h = tf.split(gates, 3, axis=-1)
        h_z, h_r, h_h = tf.split(recurrent, 3, axis=-1)
        z = tf.sigmoid(x_z + h_z)
        r = tf.sigmoid(x_r + h_r)
        candidate = tf.tanh(x_h + r * h_h)
        h = z * h + (1.0 - z) * candidate  # [B, H]
        return (h,), GRUActivations(z, r, candidate, h_h)

    def combine_gradient(
        self, activations: States, states: States, new_states: States, gradients: States
    ) -> tuple[tf.Tensor, tf.Tensor, tuple[tf.Tensor | None, ...]]:
        """Computes the gradient; see `NonlinearRNNCell.combine_gradient`.

        With a' the gradient of a:

        x'_z     = h'_t (h_{t-1} - h~_t) z_t (1 - z_t)
        x'_h     = h'_t (1 - z_t) (1 - h~_t^2)     (h W_h + c_h)' = x'_h r_t
        x'_r     = x'_h (h_{t-1} W_h + c_h) r_t (1 - r_t)
        h'_{t-1} = h'_t z_t
        """
        z, r, candidate, h_h = activations
        (h,), (d_h,) = states, gradients
        d_before = d_h * z
        d_z = tf.raw_ops.SigmoidGrad(y=z, dy=d_h * (h - candidate))
        d_candidate = tf.raw_ops.TanhGrad(y=candidate, dy=d_h - d_before)
        d_r = tf.raw_ops.SigmoidGrad(y=r, dy=d_candidate * h_h)
        d_gates = tf.concat([d_z, d_r, d_candidate], axis=-1)
        d_recurrent = tf.concat([d_z, d_r, d_candidate * r], axis=-1)
        return d_gates, d_recurrent, (d_before,)

    def get_config(self) -> dict[str, Any]:
        """Returns the settings; see `RNNCell.get_config`."""
        return {**super().get_config(), "chrono_steps": self.chrono_steps}
