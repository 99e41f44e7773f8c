"""The base class of cells that multiply the old state by a matrix."""

from __future__ import annotations

from typing import Any, ClassVar

import tensorflow as tf

from textrnn.errors import ConfigError
from textrnn.layers.cells.base import RNNCell, States, product, undefined
from textrnn.layers.cells.results import check_combine

__all__ = ["NonlinearRNNCell"]


class NonlinearRNNCell(RNNCell):
    """A cell that multiplies the old state by a matrix, and then works unit by unit.

        recurrent_t = s_{t-1} W + c          s the first state, which is also the output
        states_t    = combine(gates_t, recurrent_t, states_{t-1})

    All weights are in `project` and in the product. `combine` has none and is element-wise, so
    back-propagation through time can walk the steps by `combine_gradient` alone, and compute the
    gradient of W in one product at the end.

    A subclass defines `combine`; `combine_gradient` makes it faster.

    >>> class LeakyCell(NonlinearRNNCell):
    ...     def combine(self, gates, recurrent, states):
    ...         s = 0.9 * states[0] + 0.1 * tf.tanh(gates + recurrent)
    ...         return (s,), (gates, recurrent)
    >>> cell = LeakyCell(3)
    >>> output, states = cell(tf.zeros([2, 5]), cell.get_initial_state(2))
    >>> output.shape
    TensorShape([2, 3])

    Weights: `kernel` `[E, G*H]`, `recurrent_kernel` W `[H, G*H]` and `bias` `[G*H]`, unless a
    subclass defines `build`.
    """

    recurrent_bias: Any = None
    """c, `[R*H]`, or None."""

    gate_places: ClassVar[dict[str, int]] = {}
    """The place of each gate, a number from 0 to 1, among the activations of `combine`.

    Without a `combine_gradient` the activations are `(gates, recurrent)`, so no gate is known."""

    @property
    def output_is_state(self) -> bool:
        """Returns whether the cell uses the `step` of this class; its output is the first state."""
        return type(self).step is NonlinearRNNCell.step

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes the weights for inputs `[..., E]`."""
        self.add_kernel(input_shape)
        self.add_recurrent_kernel()
        self.add_bias()

    def combine(
        self, gates: tf.Tensor, recurrent: tf.Tensor, states: States
    ) -> tuple[States, States]:
        """Computes the element-wise part of a step. Every nonlinear cell must define it.

        Args:
            gates: `[B, G*H]`, one time step of `project`.
            recurrent: `[B, R*H]`, the product with the old state.
            states: The old states, each `[B, H]`.

        Returns:
            The new states, each `[B, H]`, and the activations that `combine_gradient` needs:
            `(gates, recurrent)` if the subclass does not define one.

        Raises:
            NotImplementedError: The cell does not define it.
        """
        raise undefined(self, "combine(gates, recurrent, states)", "new_states, (gates, recurrent)")

    def combine_gradient(
        self, activations: States, states: States, new_states: States, gradients: States
    ) -> tuple[tf.Tensor, tf.Tensor, tuple[tf.Tensor | None, ...]]:
        """Computes the gradient of `combine`, by automatic differentiation unless overridden.

        Args:
            activations: The activations that `combine` returned.
            states: The old states.
            new_states: The new states.
            gradients: The gradients of the new states, each `[B, H]`.

        Returns:
            The gradients of `gates`, of `recurrent` (the same tensor if `combine` uses only their
            sum), and of each old state apart from the product; None where there is none.

        Raises:
            ConfigError: `combine` returned other activations than `(gates, recurrent)`.
        """
        if len(activations) != 2:
            raise ConfigError(
                f"`combine` of {type(self).__name__} must return the activations (gates, "
                f"recurrent), got {len(activations)} tensors; or define `combine_gradient`."
            )
        gates, recurrent = activations
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
        """Computes the equations above; see `RNNCell.step`."""
        h = states[0] if dropout_mask is None else states[0] * dropout_mask
        recurrent = product(h, self.recurrent_kernel, dtype=self.state_dtype)
        if self.recurrent_bias is not None:
            recurrent = tf.nn.bias_add(recurrent, tf.cast(self.recurrent_bias, self.state_dtype))
        new_states, _ = check_combine(self, self.combine(gates, recurrent, states), states)
        return new_states[0], new_states
