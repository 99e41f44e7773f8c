"""The minimal cells minGRU and minLSTM, whose gates see the input alone."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from textrnn.layers.cells.chrono import checked_chrono_steps, chrono_bias
from textrnn.layers.cells.linear import LinearRNNCell

__all__ = ["MinGRUCell", "MinLSTMCell"]


class _MinimalCell(LinearRNNCell):
    """A cell whose gates start at `chrono_bias` if `chrono_steps` is given."""

    def __init__(self, units: int, *, chrono_steps: int = 0, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.chrono_steps = checked_chrono_steps(chrono_steps)

    def get_config(self) -> dict[str, Any]:
        """Returns the settings; see `RNNCell.get_config`."""
        return {**super().get_config(), "chrono_steps": self.chrono_steps}


@keras.saving.register_keras_serializable(package="textrnn")
class MinGRUCell(_MinimalCell):
    """A GRU whose gate and candidate depend on the input alone.

        z_t  = sigmoid(x_t U_z + b_z)
        h~_t = x_t U_h + b_h
        h_t  = (1 - z_t) * h_{t-1} + z_t * h~_t

    From Feng et al. 2024, "Were RNNs All We Needed?", section 3.1. Here z admits the new
    candidate; in `GRUCell` it keeps the old state. Weights, gates in the order z, h: `kernel` U
    `[E, 2H]`, `bias` b `[2H]`.

    >>> cell = MinGRUCell(3)
    >>> output, states = cell(tf.zeros([2, 5]), cell.get_initial_state(2))
    >>> output.shape, len(states)
    (TensorShape([2, 3]), 1)

    Args:
        units: H.
        chrono_steps: The longest expected dependency, in steps; b_z starts at the negative of
            `chrono_bias`. 0: off.
        **kwargs: The other arguments of `RNNCell`; `recurrent_initializer` is not used.

    Raises:
        ConfigError: As in `RNNCell`, or `chrono_steps` is 1, 2 or negative.
    """

    gate_count = 2

    def gate_biases(self) -> dict[int, tf.Tensor]:
        """Returns the start values of the gates; see `RNNCell.gate_biases`."""
        if not self.chrono_steps:
            return {}
        return {0: -chrono_bias(self.units, steps=self.chrono_steps, seed=self.seed)}

    def coefficients(
        self, gates: tf.Tensor, *, dropout_mask: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Computes `1 - z_t` and `z_t * h~_t`; see `LinearRNNCell.coefficients`."""
        x_z, candidate = tf.split(gates, 2, axis=-1)
        z = tf.sigmoid(x_z)
        if dropout_mask is not None:
            candidate = candidate * dropout_mask
        return 1.0 - z, z * candidate


@keras.saving.register_keras_serializable(package="textrnn")
class MinLSTMCell(_MinimalCell):
    """An LSTM whose gates and candidate depend on the input alone, and whose gates sum to 1.

        f_t  = sigmoid(x_t U_f + b_f)
        i_t  = sigmoid(x_t U_i + b_i)
        h~_t = x_t U_h + b_h
        h_t  = f_t / (f_t + i_t) * h_{t-1} + i_t / (f_t + i_t) * h~_t

    From Feng et al. 2024, "Were RNNs All We Needed?", section 3.2. Where both gates are too small
    for the dtype, so that f_t + i_t is 0, the first quotient is 0. Weights, gates in the order
    f, i, h: `kernel` U `[E, 3H]`, `bias` b `[3H]`.

    >>> cell = MinLSTMCell(3)
    >>> output, states = cell(tf.zeros([2, 5]), cell.get_initial_state(2))
    >>> output.shape, len(states)
    (TensorShape([2, 3]), 1)

    Args:
        units: H.
        unit_forget_bias: Whether b_f starts at 1.
        chrono_steps: The longest expected dependency, in steps; b_f starts at `chrono_bias` and
            b_i at its negative. 0: off.
        **kwargs: The other arguments of `RNNCell`; `recurrent_initializer` is not used.

    Raises:
        ConfigError: As in `RNNCell`, or `chrono_steps` is 1, 2 or negative.
    """

    gate_count = 3

    def __init__(self, units: int, *, unit_forget_bias: bool = True, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.unit_forget_bias = unit_forget_bias

    def gate_biases(self) -> dict[int, tf.Tensor]:
        """Returns the start values of the gates; see `RNNCell.gate_biases`."""
        if self.chrono_steps:
            bias = chrono_bias(self.units, steps=self.chrono_steps, seed=self.seed)
            return {0: bias, 1: -bias}
        return {0: tf.ones([self.units])} if self.unit_forget_bias else {}

    def coefficients(
        self, gates: tf.Tensor, *, dropout_mask: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Computes the two quotients, the second times `h~_t`; see `LinearRNNCell.coefficients`."""
        x_f, x_i, candidate = tf.split(gates, 3, axis=-1)
        f, i = tf.sigmoid(x_f), tf.sigmoid(x_i)
        forget = tf.math.divide_no_nan(f, f + i)
        if dropout_mask is not None:
            candidate = candidate * dropout_mask
        return forget, (1.0 - forget) * candidate

    def get_config(self) -> dict[str, Any]:
        """Returns the settings; see `RNNCell.get_config`."""
        return {**super().get_config(), "unit_forget_bias": self.unit_forget_bias}
