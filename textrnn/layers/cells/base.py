"""What every recurrent cell is: a projection that needs no state, and a step that does."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from textrnn.errors import ConfigError

__all__ = [
    "LinearRNNCell",
    "NonlinearRNNCell",
    "RNNCell",
    "States",
    "checked_chrono_steps",
    "chrono_bias",
    "product",
]

States = tuple[tf.Tensor, ...]


class RNNCell(keras.layers.Layer):
    """One step of a recurrence, split into the part without state and the part with it.

        gates_t           = project(x_t)
        output_t, state_t = step(gates_t, state_{t-1})

    `project` is a matrix product that a recurrence does for all time steps at once; `step` is what
    must wait for the past. `call` is their composition, so a cell also runs inside
    `keras.layers.RNN`. The same weights serve every step.

    A subclass sets `gate_count` (G) and `state_count`, and defines `build` and `step`; such a cell
    runs by the written-out loop. The faster kernels need more to be known of the step: derive from
    `NonlinearRNNCell` or `LinearRNNCell`.

    With a 16-bit dtype policy the matrix products are computed in 16 bits; gates and states are
    float32, so that a long memory is not rounded away step by step.

    Args:
        units: H, the size of each state.
        kernel_initializer: Of the input weights.
        recurrent_initializer: Of the state weights.
        bias_initializer: Of the biases.
        recurrent_dropout: Share of the units whose recurrent contribution is dropped, the same
            ones at every step of a sequence (Gal & Ghahramani 2016, "A Theoretically Grounded
            Application of Dropout in Recurrent Neural Networks"). `keras.layers.RNN`, which knows
            nothing of sequences' masks in a cell, draws others at each step.
        seed: Of the dropout.

    Raises:
        ConfigError: `units` is not a positive integer or `recurrent_dropout` is not in [0, 1).
    """

    gate_count: ClassVar[int]
    state_count: ClassVar[int] = 1

    def __init__(
        self,
        units: int,
        *,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if isinstance(units, bool) or not isinstance(units, (int, np.integer)) or units <= 0:
            raise ConfigError(f"`units` must be a positive integer, got {units!r}.")
        if not 0.0 <= recurrent_dropout < 1.0:
            raise ConfigError(
                f"`recurrent_dropout` must be at least 0 and less than 1, got {recurrent_dropout}."
            )
        self.units = int(units)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.recurrent_dropout = recurrent_dropout
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    @property
    def state_dtype(self) -> str:
        """The dtype of gates and states: the compute dtype, but never below float32."""
        return "float64" if self.compute_dtype == "float64" else "float32"

    @property
    def state_size(self) -> list[int]:
        """The size of each state."""
        return [self.units] * self.state_count

    @property
    def output_size(self) -> int:
        """The size of the output."""
        return self.units

    def project(self, inputs: tf.Tensor) -> tf.Tensor:
        """The part of the step that needs no state.

        Args:
            inputs: `[..., E]`, for any number of time steps at once.

        Returns:
            The gates' pre-activations, `[..., G*H]`.
        """
        return self._project(inputs, self.bias)

    def _project(self, inputs: tf.Tensor, bias: Any) -> tf.Tensor:
        inputs = tf.cast(inputs, self.compute_dtype)
        rows = tf.reshape(inputs, [-1, inputs.shape[-1]])
        gates = product(rows, self.kernel, dtype=self.state_dtype)
        # Unlike `+`, bias_add is computed with the product, and its gradient is a fast sum.
        gates = tf.nn.bias_add(gates, tf.cast(bias, self.state_dtype))
        shape = tf.concat([tf.shape(inputs)[:-1], [gates.shape[-1]]], axis=0)
        return tf.ensure_shape(tf.reshape(gates, shape), [*inputs.shape[:-1], gates.shape[-1]])

    @abstractmethod
    def step(
        self, gates: tf.Tensor, states: States, *, dropout_mask: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, States]:
        """The part of the step that needs the state.

        Args:
            gates: `[B, G*H]`, one time step of `project`.
            states: Each `[B, H]`.
            dropout_mask: `[B, H]` of zeros and `1 / (1 - recurrent_dropout)`, or None.

        Returns:
            The output `[B, H]` and the new states, each `[B, H]`.
        """

    def dropout_mask(self, batch_size: Any, *, training: bool) -> tf.Tensor | None:
        """One recurrent dropout mask `[B, H]` for a whole sequence; None if nothing is dropped."""
        if not training or not self.recurrent_dropout:
            return None
        ones = tf.ones([batch_size, self.units], self.state_dtype)
        return keras.random.dropout(ones, self.recurrent_dropout, seed=self.seed_generator)

    def get_initial_state(self, batch_size: Any) -> list[tf.Tensor]:
        """Zero states, each `[B, H]`."""
        return [tf.zeros([batch_size, size], self.state_dtype) for size in self.state_size]

    def call(
        self, inputs: tf.Tensor, states: Any, training: bool = False
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """One whole step, `step(project(inputs), states)`.

        Args:
            inputs: `[B, E]`.
            states: The previous states, each `[B, H]`.
            training: Whether recurrent dropout is active.

        Returns:
            The output `[B, H]` and the list of new states, each `[B, H]`.
        """
        mask = self.dropout_mask(tf.shape(inputs)[0], training=training)
        states = tuple(tf.cast(state, self.state_dtype) for state in states)
        output, new_states = self.step(self.project(inputs), states, dropout_mask=mask)
        return tf.cast(output, self.compute_dtype), list(new_states)

    def get_config(self) -> dict[str, Any]:
        """Everything that `from_config` needs to make the cell again, without its weights."""
        return {
            **super().get_config(),
            "units": self.units,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": keras.initializers.serialize(self.recurrent_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "recurrent_dropout": self.recurrent_dropout,
            "seed": self.seed,
        }

    def _add_kernel(self, input_shape: tuple[int | None, ...]) -> None:
        self.kernel = self.add_weight(
            shape=(input_shape[-1], self.gate_count * self.units),
            initializer=self.kernel_initializer,
            name="kernel",
        )

    def _add_recurrent_kernel(self) -> None:
        self.recurrent_kernel = self.add_weight(
            shape=(self.units, self.gate_count * self.units),
            initializer=self.recurrent_initializer,
            name="recurrent_kernel",
        )

    def _add_bias(self, shape: tuple[int, ...]) -> None:
        def initializer(shape: tuple[int, ...], dtype: Any = None) -> tf.Tensor:
            start = tf.reshape(self.bias_initializer(shape, dtype=dtype), [-1, self.units])
            rows = tf.unstack(start)
            for index, row in self._gate_biases().items():
                rows[index] = tf.cast(row, dtype)
            return tf.reshape(tf.stack(rows), shape)

        self.bias = self.add_weight(shape=shape, initializer=initializer, name="bias")

    def _gate_biases(self) -> dict[int, tf.Tensor]:
        """Start values `[H]` of those gates, by their place, that do not use the initializer."""
        return {}


class NonlinearRNNCell(RNNCell):
    """A cell that multiplies the old state by a matrix, then works unit by unit.

        recurrent_t = s_{t-1} W + c          s the first state, which is also the output
        states_t    = combine(gates_t, recurrent_t, states_{t-1})

    All weights are in `project` and in the product; `combine` has none and is element-wise, so
    that back-propagation through time can walk the steps by `combine_gradient` alone and form the
    gradient of W in one product at the end.

    A subclass defines `build`, making `recurrent_kernel` W, and `combine`.
    """

    recurrent_bias: Any = None
    """c, `[R*H]`, or None."""

    gate_places: ClassVar[dict[str, int]] = {}
    """Where each gate, a number from 0 to 1, stands in what `combine` gives to keep."""

    @abstractmethod
    def combine(
        self, gates: tf.Tensor, recurrent: tf.Tensor, states: States
    ) -> tuple[States, States]:
        """The element-wise part of a step.

        Args:
            gates: `[B, G*H]`, one time step of `project`.
            recurrent: `[B, R*H]`, the product with the old state.
            states: The old states, each `[B, H]`.

        Returns:
            The new states, each `[B, H]`, and what `combine_gradient` wants to be kept for it:
            `(gates, recurrent)` if the subclass does not define one.
        """

    def combine_gradient(
        self, kept: States, states: States, new_states: States, gradients: States
    ) -> tuple[tf.Tensor, tf.Tensor, tuple[tf.Tensor | None, ...]]:
        """The gradient of `combine`; by automatic differentiation unless a subclass derives it.

        Args:
            kept: What `combine` gave to keep.
            states: The old states.
            new_states: The new ones.
            gradients: Of the new states, each `[B, H]`.

        Returns:
            The gradients of `gates`, of `recurrent` (the same tensor if `combine` only uses their
            sum), and of each old state apart from the product; None where there is none.
        """
        gates, recurrent = kept
        with tf.GradientTape() as tape:
            tape.watch([gates, recurrent, *states])
            new_states, _ = self.combine(gates, recurrent, states)
        d_gates, d_recurrent, *d_states = tape.gradient(
            new_states, [gates, recurrent, *states], output_gradients=gradients
        )
        return d_gates, d_recurrent, tuple(d_states)

    def step(
        self, gates: tf.Tensor, states: States, *, dropout_mask: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, States]:
        """The equations above; see `RNNCell.step`."""
        seen = states[0] if dropout_mask is None else states[0] * dropout_mask
        recurrent = product(seen, self.recurrent_kernel, dtype=self.state_dtype)
        if self.recurrent_bias is not None:
            recurrent = tf.nn.bias_add(recurrent, tf.cast(self.recurrent_bias, self.state_dtype))
        new_states, _ = self.combine(gates, recurrent, states)
        return new_states[0], new_states


class LinearRNNCell(RNNCell):
    """A cell whose new state is linear in the old one: `h_t = decay_t * h_{t-1} + update_t`.

    The coefficients do not depend on the state, so all of them are known before the first step,
    and the recurrence can be computed in parallel over time. They have no weights: all are in
    `project`. There is no recurrent kernel:
    recurrent dropout drops units of the candidate state instead (Semeniuta et al. 2016,
    "Recurrent Dropout without Memory Loss").
    """

    @abstractmethod
    def coefficients(
        self, gates: tf.Tensor, *, dropout_mask: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The decay and the update of each step.

        Args:
            gates: `[..., G*H]`, from `project`.
            dropout_mask: `[B, H]` or None.

        Returns:
            `decay` and `update`, each `[..., H]`.
        """

    def step(
        self, gates: tf.Tensor, states: States, *, dropout_mask: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, States]:
        """`h_t = decay_t * h_{t-1} + update_t`; see `RNNCell.step`."""
        decay, update = self.coefficients(gates, dropout_mask=dropout_mask)
        h = decay * states[0] + update  # [B, H]
        return h, (h,)


def product(left: tf.Tensor, right: tf.Tensor, *, dtype: str) -> tf.Tensor:
    """The product of `[N, M]` and weights `[M, K]` in the weights' dtype, cast to `dtype`."""
    right = tf.convert_to_tensor(right)
    return tf.cast(tf.matmul(tf.cast(left, right.dtype), right), dtype)


def checked_chrono_steps(steps: int) -> int:
    """Gives `steps` back.

    Raises:
        ConfigError: `steps` is neither 0 nor at least 3.
    """
    if steps < 3 and steps != 0:
        raise ConfigError(f"`chrono_steps` must be 0 (off) or at least 3, got {steps}.")
    return steps


def chrono_bias(units: int, *, steps: int, seed: int | None) -> tf.Tensor:
    """Biases `[H]` of gates that keep the past, spread over time scales of 1 to `steps`.

    `b = log(u)`, `u ~ Uniform(1, steps - 1)`: a gate at its bias keeps 1 - 1/(1+u) of the state, so
    its memory lasts about 1+u steps (Tallec & Ollivier 2018, "Can Recurrent Neural Networks Warp
    Time?"). The negative is for gates that let the new in.
    """
    uniform = keras.random.uniform([units], 1.0, float(steps - 1), dtype="float32", seed=seed)
    return tf.math.log(uniform)
