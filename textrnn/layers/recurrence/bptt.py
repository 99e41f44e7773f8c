"""Back-propagation through time, written out (Werbos 1990, "Backpropagation Through Time").

With g_t the gates, W the recurrent kernel, c its bias, and a' the gradient of the loss in a:

    forwards    r_t = s_{t-1} W + c               states_t = combine(g_t, r_t, states_{t-1})
    backwards   g'_t, r'_t, states'_{t-1} = combine_gradient(states'_t)
                s'_{t-1} += r'_t W^T
    at the end  W' = [s_0 .. s_{T-1}]^T [r'_1 .. r'_T]      c' = sum_t r'_t

The backward walk does element-wise work and one product per step; the gradient of W is one product
over all steps. The gradient of the input kernel is another product, computed from g'.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import tensorflow as tf

from textrnn.errors import ConfigError
from textrnn.layers.cells import NonlinearRNNCell, RNNCell, States
from textrnn.layers.cells.base import product
from textrnn.layers.cells.results import check_combine
from textrnn.layers.recurrence.recurrence import Recurrence
from textrnn.layers.recurrence.time_order import Length, Order, select_rows, state_lists, walk

__all__ = ["CHUNK_STEPS", "bptt", "first_order_only", "refuse_variables"]

Lists = tuple[tf.TensorArray, ...]

CHUNK_STEPS = 8
"""The number of steps that one iteration of the loop writes out."""


def bptt(
    recurrence: Recurrence, *, chunk_steps: int = CHUNK_STEPS, save_activations: bool = True
) -> tuple[tf.Tensor, States]:
    """Applies a cell along time, with the gradient above in place of TensorFlow's own.

    Args:
        recurrence: The recurrence, of a `NonlinearRNNCell`.
        chunk_steps: The number of steps that one iteration of the loop writes out.
        save_activations: Whether each step saves the activations that its `combine_gradient` needs.
            This is best where a gradient will certainly be computed. False: only the states are
            saved, and the gradient computes the activations again.

    Returns:
        The outputs `[T, B, H]` and the states after the last step, each `[B, H]`, as `unroll` does.

    Raises:
        LookupError: By TensorFlow, if a second derivative is computed; the unroll kernel has it.
    """
    cell, gates, states = recurrence.cell, recurrence.gates, recurrence.states
    weights = [tf.cast(cell.recurrent_kernel, cell.compute_dtype)]
    if cell.recurrent_bias is not None:
        weights.append(tf.cast(cell.recurrent_bias, cell.state_dtype))
    kernel = _Kernel(recurrence, recurrence.order, chunk_steps, save_activations)
    outputs, *finals = tf.custom_gradient(kernel.compute)(gates, *states, *weights)
    return tf.ensure_shape(outputs, [gates.shape[0], *states[0].shape]), tuple(finals)


def first_order_only(gradient: tf.Tensor) -> tf.Tensor:
    """Returns the gradient unchanged, and makes its own gradient an error, not a wrong number."""
    return tf.raw_ops.PreventGradient(
        input=gradient,
        message="this kernel has first derivatives only; for second ones make the layer with "
        'kernel="unroll".',
    )


def refuse_variables(cell: RNNCell, method: str, variables: Sequence[Any]) -> None:
    """Raises an error if a method that must have no weights reads some.

    Raises:
        ConfigError: `variables`, which TensorFlow saw the method read, is not empty.
    """
    if variables:
        raise ConfigError(
            f"`{method}` of {type(cell).__name__} must read no weights, got "
            f"{', '.join(variable.name for variable in variables)}; read them in `project`, as "
            'more gates, or make the layer with kernel="unroll".'
        )


@dataclass(frozen=True)
class _Kernel:
    """The settings of `bptt`, as one function with a custom gradient."""

    recurrence: Recurrence
    order: Order
    chunk_steps: int
    save_activations: bool

    def compute(self, _: tf.Tensor, *tensors: tf.Tensor) -> Any:
        """Computes outputs and final states.

        Args:
            _: The gates. They are read from the recurrence; TensorFlow needs to see them here.
            *tensors: The initial states, then the weights W and c.

        Returns:
            The outputs and the final states in one tuple, and the function of their gradients.
        """
        count = self.recurrence.cell.state_count
        forward = _Forward(
            replace(self.recurrence, states=tensors[:count]),
            order=self.order,
            weights=tensors[count:],
            chunk_steps=self.chunk_steps,
            save_activations=self.save_activations,
        )
        finals, saved = forward.run()

        def gradient(
            d_outputs: tf.Tensor, *d_finals: tf.Tensor, variables: Any = ()
        ) -> tuple[tf.Tensor, ...]:
            refuse_variables(self.recurrence.cell, "combine", variables)
            backward = _Backward(forward, saved, d_outputs)
            return tuple(first_order_only(d) for d in backward.run(d_finals))

        return (self.order.outputs_of(saved.stacks[0]), *finals), gradient


class _Saved(NamedTuple):
    """The values that the forward walk saves for the gradient.

    Attributes:
        states: A list of T+1 values of each state.
        activations: A list of T values of each activation; none if they are not saved.
        stacks: The lists of states as tensors `[T+1, B, H]`; only the first state's if there
            are activations.
    """

    states: Lists
    activations: Lists
    stacks: list[tf.Tensor]


@dataclass(frozen=True)
class _Forward:
    """The forward walk.

    Attributes:
        recurrence: The recurrence.
        order: The order of its steps.
        weights: W, and c if the cell has it, in the dtypes of the computation.
        chunk_steps: As in `bptt`.
        save_activations: As in `bptt`.
    """

    recurrence: Recurrence
    order: Order
    weights: States
    chunk_steps: int
    save_activations: bool

    @property
    def cell(self) -> NonlinearRNNCell:
        return self.recurrence.cell

    def dropped(self, h: tf.Tensor) -> tf.Tensor:
        """A first state `[B, H]`, or its gradient, after recurrent dropout."""
        mask = self.recurrence.dropout_mask
        return h if mask is None else h * mask

    def combine(self, t: Length, states: States) -> tuple[States, States]:
        """One step: the new states and the activations."""
        recurrent = product(self.dropped(states[0]), self.weights[0], dtype=self.cell.state_dtype)
        if len(self.weights) > 1:
            recurrent = tf.nn.bias_add(recurrent, self.weights[1])
        result = self.cell.combine(self.recurrence.gates[t], recurrent, states)
        return check_combine(self.cell, result, states)

    def run(self) -> tuple[States, _Saved]:
        """Takes all steps; returns the states after the last one, and what the gradient needs."""
        order, states = self.order, self.recurrence.states
        activation_lists: Lists = ()
        if self.save_activations:  # This step is taken for its shapes alone.
            _, activations = self.combine(0, states)
            activation_lists = tuple(_list(order.steps, like) for like in activations)
        carry = (states, state_lists(order, states), activation_lists)
        finals, lists, activation_lists = walk(
            self._chunk, order.steps, chunk_steps=self.chunk_steps, carry=carry
        )
        stacks = [
            tf.ensure_shape(values.stack(), [None, *state.shape])  # [T+1, B, H]
            for values, state in zip(
                lists[: 1 if self.save_activations else None], states, strict=False
            )
        ]
        return finals, _Saved(lists, activation_lists, stacks)

    def _chunk(self, first: Length, count: int, carry: Any) -> Any:
        states, lists, activation_lists = carry
        mask = self.recurrence.mask
        for t in self.order.times(first, count):
            new, activations = self.combine(t, states)
            if mask is not None:
                pairs = zip(new, states, strict=True)
                new = tuple(select_rows(mask[t], now, old) for now, old in pairs)
            states = tuple(new)
            lists = _write(lists, self.order.after(t), states)
            if self.save_activations:
                activation_lists = _write(activation_lists, t, activations)
        return states, lists, activation_lists


class _Backward:
    """The backward walk.

    Args:
        forward: The forward walk.
        saved: What it saved.
        d_outputs: The gradients of the outputs, `[T, B, H]`.
    """

    def __init__(self, forward: _Forward, saved: _Saved, d_outputs: tf.Tensor) -> None:
        self._forward, self._saved, self._d_outputs = forward, saved, d_outputs
        self._kernel_transposed = tf.transpose(forward.weights[0])
        self._zeros = tf.zeros_like(forward.recurrence.states[0])
        # Whether the gates' gradient is that of the product too; known when a step was traced.
        self._shared = False

    def run(self, d_finals: States) -> tuple[tf.Tensor, ...]:
        """The gradients of the gates, of the initial states and of the weights."""
        kernel, gates = self._forward.weights[0], self._forward.recurrence.gates
        steps = self._forward.order.steps
        recurrent_like = tf.matmul(self._zeros, tf.cast(kernel, self._zeros.dtype))
        d_states, gates_list, recurrent_list = walk(
            self._chunk,
            steps,
            chunk_steps=self._forward.chunk_steps,
            carry=(d_finals, _list(steps, gates[0]), _list(steps, recurrent_like)),
        )
        d_gates = tf.ensure_shape(gates_list.stack(), gates.shape)
        d_recurrent = d_gates if self._shared else recurrent_list.stack()  # [T, B, R*H]
        return (d_gates, *d_states, *self._weight_gradients(d_recurrent))

    def _chunk(self, first: Length, count: int, carry: Any) -> Any:
        d_states, gates_list, recurrent_list = carry
        for t in self._forward.order.backwards.times(first, count):
            d_gates, d_recurrent, d_states = self._step(t, d_states)
            gates_list = gates_list.write(t, d_gates)
            self._shared = d_recurrent is d_gates
            if not self._shared:
                recurrent_list = recurrent_list.write(t, d_recurrent)
        return d_states, gates_list, recurrent_list

    def _step(self, t: Length, d_states: States) -> tuple[tf.Tensor, tf.Tensor, States]:
        """The gradients at time t of the gates, of the product and of the states before."""
        forward, zeros, mask = self._forward, self._zeros, self._forward.recurrence.mask
        before, after, activations = self._values_at(t)
        d_new = (d_states[0] + self._d_outputs[t], *d_states[1:])
        passed: States = ()
        if mask is not None:
            passed = tuple(select_rows(mask[t], zeros, d) for d in d_new)
            d_new = tuple(select_rows(mask[t], d, zeros) for d in d_new)
        d_gates, d_recurrent, d_before = forward.cell.combine_gradient(
            activations, before, after, d_new
        )
        d_product = product(d_recurrent, self._kernel_transposed, dtype=forward.cell.state_dtype)
        d_states = tuple(
            _sum(gradients, zeros)
            for gradients in itertools.zip_longest((forward.dropped(d_product),), d_before, passed)
        )
        return d_gates, d_recurrent, d_states

    def _values_at(self, t: Length) -> tuple[States, States, States]:
        """The states before and after the step at time t, and its activations."""
        order, saved = self._forward.order, self._saved
        if self._forward.save_activations:
            before, after = (
                tuple(values.read(place) for values in saved.states)
                for place in (order.before(t), order.after(t))
            )
            return before, after, tuple(values.read(t) for values in saved.activations)
        # A saved model can hold a gradient that needs tensors, not one that needs lists.
        before = tuple(stack[order.before(t)] for stack in saved.stacks)
        after, activations = self._forward.combine(t, before)
        return before, after, activations

    def _weight_gradients(self, d_recurrent: tf.Tensor) -> list[tf.Tensor]:
        """The gradients of W and c by those of the products, `[T, B, R*H]`."""
        forward, weights = self._forward, self._forward.weights
        rows = tf.reshape(d_recurrent, [-1, weights[0].shape[1]])
        h = forward.dropped(forward.order.inputs_of(self._saved.stacks[0]))
        h = tf.cast(tf.reshape(h, [-1, forward.cell.units]), weights[0].dtype)
        d_kernel = tf.matmul(h, tf.cast(rows, weights[0].dtype), transpose_a=True)
        if len(weights) == 1:
            return [d_kernel]
        return [d_kernel, tf.raw_ops.BiasAddGrad(out_backprop=rows)]


def _list(steps: Length, like: tf.Tensor) -> tf.TensorArray:
    """An empty list of one tensor such as `like` for each step."""
    return tf.TensorArray(like.dtype, size=steps, element_shape=like.shape, clear_after_read=False)


def _write(lists: Lists, place: Length, values: States) -> Lists:
    return tuple(array.write(place, value) for array, value in zip(lists, values, strict=True))


def _sum(gradients: tuple[tf.Tensor | None, ...], zeros: tf.Tensor) -> tf.Tensor:
    """The sum of the gradients that are not None."""
    present = [gradient for gradient in gradients if gradient is not None]
    if len(present) > 1:
        return tf.add_n(present)
    return present[0] if present else zeros
