"""Long short-term memory."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import keras
import tensorflow as tf

from textrnn.layers.cells.base import States
from textrnn.layers.cells.chrono import checked_chrono_steps, chrono_bias
from textrnn.layers.cells.nonlinear import NonlinearRNNCell

__all__ = ["LSTMCell", "LSTMState"]


class LSTMState(NamedTuple):
    """The states of an `LSTMCell`, each `[B, H]`."""

    h: tf.Tensor
    """The output."""

    c: tf.Tensor
    """The memory."""


class LSTMActivations(NamedTuple):
    """The values that a step saves for its gradient, each `[B, H]`."""

    input_gate: tf.Tensor
    """i."""

    forget_gate: tf.Tensor
    """f."""

    candidate: tf.Tensor
    """c~."""

    output_gate: tf.Tensor
    """o."""


@keras.saving.register_keras_serializable(package="textrnn")
class LSTMCell(NonlinearRNNCell):
    """Gates write, keep and read a memory c; h is what the gate o shows of it.

        i_t  = sigmoid(x_t U_i + h_{t-1} W_i + b_i)
        f_t  = sigmoid(x_t U_f + h_{t-1} W_f + b_f)
        c~_t = tanh(x_t U_c + h_{t-1} W_c + b_c)
        o_t  = sigmoid(x_t U_o + h_{t-1} W_o + b_o)
        c_t  = f_t * c_{t-1} + i_t * c~_t
        h_t  = o_t * tanh(c_t)

    From Hochreiter & Schmidhuber 1997, "Long Short-Term Memory", with the forget gate of Gers et
    al. 2000, whose bias starts at 1 (Jozefowicz et al. 2015). Weights, as in `keras.layers.LSTM`,
    gates in the order i, f, c, o: `kernel` U `[E, 4H]`, `recurrent_kernel` W `[H, 4H]`,
    `bias` b `[4H]`. States: `LSTMState`.

    >>> cell = LSTMCell(3)
    >>> output, states = cell(tf.zeros([2, 5]), cell.get_initial_state(2))
    >>> output.shape, len(states)
    (TensorShape([2, 3]), 2)

    Args:
        units: H.
        unit_forget_bias: Whether b_f starts at 1.
        chrono_steps: The longest expected dependency, in steps; b_f starts at `chrono_bias` and
            b_i at its negative. 0: off.
        **kwargs: The other arguments of `RNNCell`.

    Raises:
        ConfigError: As in `RNNCell`, or `chrono_steps` is 1, 2 or negative.
    """

    gate_count = 4
    state_count = 2
    gate_places: ClassVar = {"input": 0, "forget": 1, "output": 3}

    def __init__(
        self, units: int, *, unit_forget_bias: bool = True, chrono_steps: int = 0, **kwargs: Any
    ) -> None:
        super().__init__(units, **kwargs)
        self.unit_forget_bias = unit_forget_bias
        self.chrono_steps = checked_chrono_steps(chrono_steps)

    def gate_biases(self) -> dict[int, tf.Tensor]:
        """Returns the start values of b_i and b_f; see `RNNCell.gate_biases`."""
        if self.chrono_steps:
            bias = chrono_bias(self.units, steps=self.chrono_steps, seed=self.seed)
            return {0: -bias, 1: bias}
        return {1: tf.ones([self.units])} if self.unit_forget_bias else {}

    def combine(
        self, gates: tf.Tensor, recurrent: tf.Tensor, states: States
    ) -> tuple[States, States]:
        """Computes the equations above; see `NonlinearRNNCell.combine`."""
        _, c = states
        x_i, x_f, x_c, x_o = tf.split(gates + recurrent, 4, axis=-1)
        i = tf.sigmoid(x_i)
        f = tf.sigmoid(x_f)
        candidate = tf.tanh(x_c)
        o = tf.sigmoid(x_o)
        c = f * c + i * candidate  # [B, H]
        h = o * tf.tanh(c)  # [B, H]
        return LSTMState(h, c), LSTMActivations(i, f, candidate, o)

    def combine_gradient(
        self, activations: States, states: States, new_states: States, gradients: States
    ) -> tuple[tf.Tensor, tf.Tensor, tuple[tf.Tensor | None, ...]]:
        """Computes the gradient; see `NonlinearRNNCell.combine_gradient`.

        With a' the gradient of a:

        c'_t     = c'_t + h'_t o_t (1 - tanh^2 c_t)
        x'_i     = c'_t c~_t i_t (1 - i_t)         x'_f = c'_t c_{t-1} f_t (1 - f_t)
        x'_c     = c'_t i_t (1 - c~_t^2)           x'_o = h'_t tanh(c_t) o_t (1 - o_t)
        c'_{t-1} = c'_t f_t
        """
        i, f, candidate, o = activations
        before, after = LSTMState(*states), LSTMState(*new_states)
        d_h, d_c = gradients
        tanh_c = tf.tanh(after.c)
        d_c += tf.raw_ops.TanhGrad(y=tanh_c, dy=d_h * o)
        d_gates = tf.concat(
            [
                tf.raw_ops.SigmoidGrad(y=i, dy=d_c * candidate),
                tf.raw_ops.SigmoidGrad(y=f, dy=d_c * before.c),
                tf.raw_ops.TanhGrad(y=candidate, dy=d_c * i),
                tf.raw_ops.SigmoidGrad(y=o, dy=d_h * tanh_c),
            ],
            axis=-1,
        )
        return d_gates, d_gates, (None, d_c * f)

    def get_config(self) -> dict[str, Any]:
        """Returns the settings; see `RNNCell.get_config`."""
        return {
            **super().get_config(),
            "unit_forget_bias": self.unit_forget_bias,
            "chrono_steps": self.chrono_steps,
        }
