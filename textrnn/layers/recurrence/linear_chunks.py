"""The linear recurrence h_t = a_t h_{t-1} + u_t: all a and u of a chunk at once, then the chain.

The gradient is a linear recurrence in the other direction; its equations are in `scan.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from textrnn.layers.cells import States
from textrnn.layers.recurrence.bptt import first_order_only, refuse_variables
from textrnn.layers.recurrence.coefficients import coefficients, where_input
from textrnn.layers.recurrence.recurrence import Recurrence
from textrnn.layers.recurrence.time_order import Length, Order, state_lists, walk

__all__ = ["CHUNK_STEPS", "linear_chunks"]

CHUNK_STEPS = 16
"""The number of steps whose coefficients are computed together; the chain goes step by step."""


def linear_chunks(
    recurrence: Recurrence, *, chunk_steps: int = CHUNK_STEPS
) -> tuple[tf.Tensor, States]:
    """Applies a linear cell along time, chunk after chunk.

    Only the states are saved for the gradient, which computes the coefficients again.

    Args:
        recurrence: The recurrence, of a `LinearRNNCell`.
        chunk_steps: The number of steps in a chunk.

    Returns:
        The outputs `[T, B, H]` and the state after the last step, as `unroll` does.

    Raises:
        LookupError: By TensorFlow, if a second derivative is computed; the unroll kernel has it.
    """
    gates, (state,) = recurrence.gates, recurrence.states
    kernel = _Kernel(recurrence, recurrence.order, chunk_steps)
    outputs, final = tf.custom_gradient(kernel.compute)(gates, state)
    return tf.ensure_shape(outputs, [gates.shape[0], *state.shape]), (final,)


@dataclass(frozen=True)
class _Kernel:
    """The settings of `linear_chunks`, as one function with a custom gradient."""

    recurrence: Recurrence
    order: Order
    chunk_steps: int

    def compute(self, gates: tf.Tensor, state: tf.Tensor) -> Any:
        """Computes outputs and the final state.

        Args:
            gates: `[T, B, G*H]`.
            state: `[B, H]`.

        Returns:
            The outputs and the final state in one tuple, and the function of their gradients.
        """
        final, written = _Forward(self, gates).run(state)
        states = tf.ensure_shape(written.stack(), [None, *state.shape])  # [T+1, B, H]

        def gradient(
            d_outputs: tf.Tensor, d_final: tf.Tensor, variables: Any = ()
        ) -> tuple[tf.Tensor, ...]:
            refuse_variables(self.recurrence.cell, "coefficients", variables)
            gradients = _Backward(self, gates, states, d_outputs).run(d_final)
            return tuple(first_order_only(d) for d in gradients)

        return (self.order.outputs_of(states), final), gradient

    def chunk_mask(self, start: Length, count: int) -> tf.Tensor | None:
        """The mask `[K, B]` of a chunk; None if there is input everywhere."""
        mask = self.recurrence.mask
        return None if mask is None else _rows(mask, start, count)


@dataclass(frozen=True)
class _Forward:
    """The forward walk over gates `[T, B, G*H]`."""

    kernel: _Kernel
    gates: tf.Tensor

    def run(self, state: tf.Tensor) -> tuple[tf.Tensor, tf.TensorArray]:
        """The state after the last step, and the list of all T+1 states."""
        order = self.kernel.order
        final, written = walk(
            self._chunk,
            order.steps,
            chunk_steps=self.kernel.chunk_steps,
            carry=(state, *state_lists(order, (state,))),
        )
        return final, written

    def _chunk(self, first: Length, count: int, carry: Any) -> Any:
        state, written = carry
        kernel, order = self.kernel, self.kernel.order
        start = order.start(first, count)
        decay, update = coefficients(
            kernel.recurrence, _rows(self.gates, start, count)
        )  # [K, B, H]
        mask = kernel.chunk_mask(start, count)
        decay, update = where_input(mask, decay, 1.0), where_input(mask, update, 0.0)
        reverse = order.reverse
        chunk = _chain(tf.unstack(decay), tf.unstack(update), state, reverse=reverse)
        for offset in range(count):
            written = written.write(order.after(start + offset), chunk[offset])
        return chunk[order.offsets(count)[-1]], written


@dataclass(frozen=True)
class _Backward:
    """The backward walk.

    Attributes:
        kernel: The settings.
        gates: `[T, B, G*H]`.
        states: All states, `[T+1, B, H]`.
        d_outputs: The gradients of the outputs, `[T, B, H]`.
    """

    kernel: _Kernel
    gates: tf.Tensor
    states: tf.Tensor
    d_outputs: tf.Tensor

    def run(self, d_final: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The gradients of the gates and of the initial state."""
        gates, steps = self.gates, self.kernel.order.steps
        written = tf.TensorArray(gates.dtype, size=steps, element_shape=gates.shape[1:])
        d_state, written = walk(
            self._chunk, steps, chunk_steps=self.kernel.chunk_steps, carry=(d_final, written)
        )
        return tf.ensure_shape(written.stack(), gates.shape), d_state

    def _chunk(self, first: Length, count: int, carry: Any) -> Any:
        d_state, written = carry
        kernel, back = self.kernel, self.kernel.order.backwards
        start = back.start(first, count)
        chunk = _rows(self.gates, start, count)
        with tf.GradientTape() as tape:
            tape.watch(chunk)
            decay, update = coefficients(kernel.recurrence, chunk)
        mask = kernel.chunk_mask(start, count)
        decays = tf.unstack(where_input(mask, decay, 1.0))
        # Each step's gradient is reached through the decay of the step after it.
        ones = tf.ones_like(decays[0])
        d_chunk = _chain(
            [*decays[1:], ones] if back.reverse else [ones, *decays[:-1]],
            tf.unstack(_rows(self.d_outputs, start, count)),
            d_state,
            reverse=back.reverse,
        )
        last = back.offsets(count)[-1]
        d_state = decays[last] * d_chunk[last]
        d_update = where_input(mask, tf.stack(d_chunk), 0.0)
        d_decay = d_update * _rows(kernel.order.inputs_of(self.states), start, count)
        d_gates = tape.gradient([decay, update], chunk, output_gradients=[d_decay, d_update])
        for offset, row in enumerate(tf.unstack(d_gates)):
            written = written.write(start + offset, row)
        return d_state, written


def _chain(
    decay: list[tf.Tensor], update: list[tf.Tensor], state: tf.Tensor, *, reverse: bool
) -> list[tf.Tensor]:
    """The states after each step of a chunk; all lists are in the order of time."""
    states = [state] * len(decay)
    for offset in Order(len(decay), reverse).offsets(len(decay)):
        states[offset] = state = decay[offset] * state + update[offset]
    return states


def _rows(tensor: tf.Tensor, start: Length, count: int) -> tf.Tensor:
    """`count` rows of `[T, ...]`, beginning at `start`."""
    inner = tf.shape(tensor)[1:]
    rows = tf.slice(
        tensor, tf.concat([[start], tf.zeros_like(inner)], 0), tf.concat([[count], inner], 0)
    )
    return tf.ensure_shape(rows, [count, *tensor.shape[1:]])
