"""The base class of cells: a projection that needs no state, and a step that does."""

from __future__ import annotations

from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from textrnn.errors import ConfigError
from textrnn.layers.cells.results import check_step

__all__ = ["RNNCell", "States", "product", "undefined"]

States = tuple[tf.Tensor, ...]


class RNNCell(keras.layers.Layer):
    """One step of a recurrence, split into the part without state and the part with it.

        gates_t           = project(x_t)
        output_t, state_t = step(gates_t, state_{t-1})

    `project` is a matrix product, which a recurrence computes for all time steps at once; `step`
    has to wait for the past. `call` is their composition, so a cell also runs inside
    `keras.layers.RNN`. The same weights serve every step.

    A subclass sets `gate_count` (G) and `state_count`, and defines `step`; such a cell runs in the
    unrolled loop. The faster kernels need to know more about the step: for them, derive a cell from
    `NonlinearRNNCell` or `LinearRNNCell`.

    >>> class Accumulator(RNNCell):
    ...     def step(self, gates, states, *, dropout_mask=None):
    ...         total = states[0] + gates
    ...         return tf.tanh(total), (total,)
    >>> cell = Accumulator(3)
    >>> output, states = cell(tf.zeros([2, 5]), cell.get_initial_state(2))
    >>> output.shape
    TensorShape([2, 3])

    With a 16-bit dtype policy, matrix products are computed in 16 bits. Gates and states are
    float32, so that rounding does not wear away a long memory step by step.

    Weights: `kernel` `[E, G*H]` and `bias` `[G*H]`, unless a subclass defines `build`.

    Args:
        units: H, the size of each state.
        kernel_initializer: The initializer of the input weights.
        recurrent_initializer: The initializer of the state weights.
        bias_initializer: The initializer of the biases.
        recurrent_dropout: The share of the units whose recurrent contribution is dropped, the same
            units at every step of a sequence (Gal & Ghahramani 2016, "A Theoretically Grounded
            Application of Dropout in Recurrent Neural Networks"). Inside `keras.layers.RNN` the
            cell drops other units at each step.
        seed: The seed of the dropout.

    Raises:
        ConfigError: `units` is not a positive integer or `recurrent_dropout` is not in [0, 1).
    """

    gate_count: ClassVar[int] = 1
    """G, the number of gates that `project` computes."""

    state_count: ClassVar[int] = 1
    """The number of states."""

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

    @property
    def bias_shape(self) -> tuple[int, ...]:
        """The shape of `bias`."""
        return (self.gate_count * self.units,)

    @property
    def input_bias(self) -> Any:
        """The bias `[G*H]` that `project` adds."""
        return self.bias

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes the weights for inputs `[..., E]`."""
        self.add_kernel(input_shape)
        self.add_bias()

    @property
    def output_is_state(self) -> bool:
        """Returns whether the output of a step is known to be the first of its new states."""
        return False

    def project(self, inputs: tf.Tensor) -> tf.Tensor:
        """Computes the part of the step that needs no state, `x_t U + b`.

        Args:
            inputs: `[..., E]`, for any number of time steps at once.

        Returns:
            The gates' pre-activations, `[..., G*H]`.
        """
        inputs = tf.cast(inputs, self.compute_dtype)
        rows = tf.reshape(inputs, [-1, inputs.shape[-1]])
        gates = product(rows, self.kernel, dtype=self.state_dtype)
        # Unlike `+`, bias_add is computed with the product, and its gradient is a fast sum.
        gates = tf.nn.bias_add(gates, tf.cast(self.input_bias, self.state_dtype))
        shape = tf.concat([tf.shape(inputs)[:-1], [gates.shape[-1]]], axis=0)
        return tf.ensure_shape(tf.reshape(gates, shape), [*inputs.shape[:-1], gates.shape[-1]])

    def step(
        self, gates: tf.Tensor, states: States, *, dropout_mask: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, States]:
        """Computes the part of the step that needs the state. Every cell must define it.

        Args:
            gates: `[B, G*H]`, one time step of `project`.
            states: Each `[B, H]`.
            dropout_mask: `[B, H]` of zeros and `1 / (1 - recurrent_dropout)`, or None.

        Returns:
            The output `[B, H]` and the new states, each `[B, H]`.

        Raises:
            NotImplementedError: The cell does not define it.
        """
        raise undefined(self, "step(gates, states, *, dropout_mask=None)", "output, new_states")

    def dropout_mask(self, batch_size: Any, *, training: bool) -> tf.Tensor | None:
        """Draws a recurrent dropout mask `[B, H]` for whole sequences; None if there is none."""
        if not training or not self.recurrent_dropout:
            return None
        ones = tf.ones([batch_size, self.units], self.state_dtype)
        return keras.random.dropout(ones, self.recurrent_dropout, seed=self.seed_generator)

    def get_initial_state(self, batch_size: Any) -> list[tf.Tensor]:
        """Returns zero states, each `[B, H]`."""
        return [tf.zeros([batch_size, size], self.state_dtype) for size in self.state_size]

    def call(
        self, inputs: tf.Tensor, states: Any, training: bool = False
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Computes one whole step, `step(project(inputs), states)`.

        Args:
            inputs: `[B, E]`.
            states: The previous states, each `[B, H]`.
            training: Whether recurrent dropout is active.

        Returns:
            The output `[B, H]` and the list of new states, each `[B, H]`.

        Raises:
            ConfigError: `step` returned something else than an output and new states.
        """
        mask = self.dropout_mask(tf.shape(inputs)[0], training=training)
        states = tuple(tf.cast(state, self.state_dtype) for state in states)
        result = self.step(self.project(inputs), states, dropout_mask=mask)
        output, new_states = check_step(self, result, states)
        return tf.cast(output, self.compute_dtype), list(new_states)

    def get_config(self) -> dict[str, Any]:
        """Returns the settings with which `from_config` makes the cell again, without weights."""
        return {
            **super().get_config(),
            "units": self.units,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": keras.initializers.serialize(self.recurrent_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "recurrent_dropout": self.recurrent_dropout,
            "seed": self.seed,
        }

    def add_kernel(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes `kernel` `[E, G*H]` for inputs `[..., E]`."""
        self.kernel = self.add_weight(
            shape=(input_shape[-1], self.gate_count * self.units),
            initializer=self.kernel_initializer,
            name="kernel",
        )

    def add_recurrent_kernel(self) -> None:
        """Makes `recurrent_kernel` `[H, G*H]`."""
        self.recurrent_kernel = self.add_weight(
            shape=(self.units, self.gate_count * self.units),
            initializer=self.recurrent_initializer,
            name="recurrent_kernel",
        )

    def add_bias(self) -> None:
        """Makes `bias` of `bias_shape`; its start values are `gate_biases` or the initializer's."""

        def initializer(shape: tuple[int, ...], dtype: Any = None) -> tf.Tensor:
            start = tf.reshape(self.bias_initializer(shape, dtype=dtype), [-1, self.units])
            rows = tf.unstack(start)
            for gate, row in self.gate_biases().items():
                rows[gate] = tf.cast(row, dtype)
            return tf.reshape(tf.stack(rows), shape)

        self.bias = self.add_weight(shape=self.bias_shape, initializer=initializer, name="bias")

    def gate_biases(self) -> dict[int, tf.Tensor]:
        """Returns start values `[H]` for the biases of gates that do not use the initializer.

        The keys are the numbers of the gates.
        """
        return {}


def undefined(cell: RNNCell, method: str, result: str) -> NotImplementedError:
    """Makes the error that a cell raises in place of a method that it must define.

    Args:
        cell: The cell.
        method: The method and its arguments.
        result: What the method must return.
    """
    base = next(base for base in type(cell).__mro__ if base.__module__.startswith(__package__))
    return NotImplementedError(
        f"{type(cell).__name__} must define `{method}`, which returns `{result}`; see "
        f"{base.__name__}."
    )


def product(left: tf.Tensor, right: tf.Tensor, *, dtype: str) -> tf.Tensor:
    """Multiplies `[N, M]` by weights `[M, K]` in the weights' dtype, and casts to `dtype`."""
    right = tf.convert_to_tensor(right)
    return tf.cast(tf.matmul(tf.cast(left, right.dtype), right), dtype)
