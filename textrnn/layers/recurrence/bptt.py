"""Back-propagation through time, written out (Werbos 1990, "Backpropagation Through Time").

With g_t the gates, W the recurrent kernel, c its bias, and a' the gradient of the loss in a:

    forwards    r_t = s_{t-1} W + c               states_t = combine(g_t, r_t, states_{t-1})
    backwards   g'_t, r'_t, states'_{t-1} = combine_gradient(states'_t)
                s'_{t-1} += r'_t W^T
    at the end  W' = [s_0 .. s_{T-1}]^T [r'_1 .. r'_T]      c' = sum_t r'_t

The walk back does element-wise work and one product a step; the gradient of W is one product over
all steps, and that of the input kernel, behind g', another.
"""

from __future__ import annotations

import itertools
from typing import Any

import tensorflow as tf

from textrnn.layers.cells import NonlinearRNNCell, States
from textrnn.layers.cells.base import product
from textrnn.layers.recurrence.time_order import Length, Order, select_rows, state_lists, walk

__all__ = ["CHUNK_STEPS", "bptt", "first_order_only"]

Lists = tuple[tf.TensorArray, ...]

CHUNK_STEPS = 8
"""Steps written out in one iteration of the loop."""


def bptt(
    cell: NonlinearRNNCell,
    gates: tf.Tensor,
    states: States,
    mask: tf.Tensor | None = None,
    *,
    reverse: bool = False,
    dropout_mask: tf.Tensor | None = None,
    chunk_steps: int = CHUNK_STEPS,
    keep: bool = True,
) -> tuple[tf.Tensor, States]:
    """Applies a cell along time, with the gradient above in place of TensorFlow's own.

    Args:
        cell: The cell, built.
        gates: `[T, B, G*H]`, of its `project`.
        states: The states before the first step, each `[B, H]`.
        mask: `[T, B]` of bool, True where there is input; None: everywhere.
        reverse: Whether time runs from T-1 to 0. Outputs stay at their inputs' places.
        dropout_mask: `[B, H]`, as in the cell's `step`, or None.
        chunk_steps: Steps written out in one iteration of the loop.
        keep: Whether each step keeps what its `combine_gradient` wants, for a gradient that is
            sure to be asked for. False: only the states are kept, and a gradient computes each
            step again.

    Returns:
        The outputs `[T, B, H]` and the states after the last step, each `[B, H]`, as `unroll`'s.

    Raises:
        LookupError: By TensorFlow, if a second derivative is asked for; the unroll kernel has it.
    """
    steps = tf.shape(gates)[0] if gates.shape[0] is None else gates.shape[0]
    order = Order(steps, reverse)
    weights = [tf.cast(cell.recurrent_kernel, cell.compute_dtype)]
    if cell.recurrent_bias is not None:
        weights.append(tf.cast(cell.recurrent_bias, cell.state_dtype))

    def seen(h: tf.Tensor) -> tf.Tensor:
        return h if dropout_mask is None else h * dropout_mask

    def combine(t: Length, states: States, weights: States) -> tuple[States, States]:
        recurrent = product(seen(states[0]), weights[0], dtype=cell.state_dtype)
        if len(weights) > 1:
            recurrent = tf.nn.bias_add(recurrent, weights[1])
        return cell.combine(gates[t], recurrent, states)

    def forwards(states: States, weights: States) -> tuple[States, Lists, Lists]:
        """The last states, the lists of all states, and the lists of what the steps keep."""

        def body(first: Length, count: int, carry: Any) -> Any:
            states, lists, kept_lists = carry
            start = order.start(first, count)
            for t in (start + offset for offset in order.offsets(count)):
                new, kept = combine(t, states, weights)
                if mask is not None:
                    pairs = zip(new, states, strict=True)
                    new = tuple(select_rows(mask[t], now, old) for now, old in pairs)
                states = new
                lists = _write(lists, order.after(t), states)
                if keep:
                    kept_lists = _write(kept_lists, t, kept)
            return states, lists, kept_lists

        kept_lists: Lists = ()
        if keep:  # A step taken for its shapes alone.
            kept_lists = tuple(_list(steps, part) for part in combine(0, states, weights)[1])
        carry = (states, state_lists(order, states), kept_lists)
        ends: tuple[States, Lists, Lists] = walk(body, steps, chunk_steps=chunk_steps, carry=carry)
        return ends

    @tf.custom_gradient
    def recurrence(_: tf.Tensor, *rest: tf.Tensor) -> Any:
        states, weights = rest[: cell.state_count], rest[cell.state_count :]
        finals, lists, kept_lists = forwards(states, weights)
        stacks = [
            tf.ensure_shape(part.stack(), [None, *state.shape])  # [T+1, B, H]
            for part, state in zip(lists[: 1 if keep else None], states, strict=False)
        ]

        def states_at(place: Length) -> States:
            # A saved model can hold a gradient that needs tensors, not one that needs lists.
            if keep:
                return tuple(part.read(place) for part in lists)
            return tuple(stack[place] for stack in stacks)

        def gradient(d_outputs: tf.Tensor, *d_finals: tf.Tensor) -> tuple[tf.Tensor, ...]:
            kernel_transposed = tf.transpose(weights[0])
            zeros = tf.zeros_like(states[0])
            shared = False

            def body(first: Length, count: int, carry: Any) -> Any:
                nonlocal shared
                d_states, gates_list, recurrent_list = carry
                start = order.backwards.start(first, count)
                for t in (start + offset for offset in order.backwards.offsets(count)):
                    before = states_at(order.before(t))
                    if keep:
                        after = states_at(order.after(t))
                        kept = tuple(part.read(t) for part in kept_lists)
                    else:
                        after, kept = combine(t, before, weights)
                    d_new = (d_states[0] + d_outputs[t], *d_states[1:])
                    passed: States = ()
                    if mask is not None:
                        passed = tuple(select_rows(mask[t], zeros, d) for d in d_new)
                        d_new = tuple(select_rows(mask[t], d, zeros) for d in d_new)
                    d_gates, d_recurrent, d_before = cell.combine_gradient(
                        kept, before, after, d_new
                    )
                    d_seen = product(d_recurrent, kernel_transposed, dtype=cell.state_dtype)
                    d_states = tuple(
                        _sum(parts, zeros)
                        for parts in itertools.zip_longest((seen(d_seen),), d_before, passed)
                    )
                    gates_list = gates_list.write(t, d_gates)
                    shared = d_recurrent is d_gates
                    if not shared:
                        recurrent_list = recurrent_list.write(t, d_recurrent)
                return d_states, gates_list, recurrent_list

            recurrent_like = tf.matmul(zeros, tf.cast(weights[0], zeros.dtype))
            d_states, gates_list, recurrent_list = walk(
                body,
                steps,
                chunk_steps=chunk_steps,
                carry=(d_finals, _list(steps, gates[0]), _list(steps, recurrent_like)),
            )
            d_gates = tf.ensure_shape(gates_list.stack(), gates.shape)
            d_recurrent = d_gates if shared else recurrent_list.stack()  # [T, B, R*H]
            rows = tf.reshape(d_recurrent, [-1, weights[0].shape[1]])
            h = tf.reshape(seen(order.inputs_of(stacks[0])), [-1, cell.units])
            d_weights = [
                tf.matmul(
                    tf.cast(h, weights[0].dtype), tf.cast(rows, weights[0].dtype), transpose_a=True
                )
            ]
            if len(weights) > 1:
                d_weights.append(tf.raw_ops.BiasAddGrad(out_backprop=rows))
            return tuple(first_order_only(d) for d in (d_gates, *d_states, *d_weights))

        return (order.outputs_of(stacks[0]), *finals), gradient

    outputs, *finals = recurrence(gates, *states, *weights)
    return tf.ensure_shape(outputs, [gates.shape[0], *states[0].shape]), tuple(finals)


def first_order_only(gradient: tf.Tensor) -> tf.Tensor:
    """The gradient as it is; to differentiate it once more is an error, not a wrong number."""
    return tf.raw_ops.PreventGradient(
        input=gradient,
        message="this kernel has first derivatives only; for second ones make the layer with "
        'kernel="unroll".',
    )


def _list(steps: Length, like: tf.Tensor) -> tf.TensorArray:
    """A list of one tensor such as `like` for each step."""
    return tf.TensorArray(like.dtype, size=steps, element_shape=like.shape, clear_after_read=False)


def _write(lists: Lists, place: Length, values: States) -> Lists:
    return tuple(part.write(place, value) for part, value in zip(lists, values, strict=True))


def _sum(parts: tuple[tf.Tensor | None, ...], zeros: tf.Tensor) -> tf.Tensor:
    """The sum of those gradients that there are."""
    present = [part for part in parts if part is not None]
    if len(present) > 1:
        return tf.add_n(present)
    return present[0] if present else zeros
