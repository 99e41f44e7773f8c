"""The linear recurrence h_t = a_t h_{t-1} + u_t: all a and u of a chunk at once, then the chain.

With h'_t the gradient of the loss in h_t, all that comes from later steps included, it is a linear
recurrence in itself, in the other direction:

    h'_t = d_t + a_{t+1} h'_{t+1}          d_t the gradient in the output at t
    a'_t = h'_t h_{t-1}                    u'_t = h'_t

(Martin & Cundy 2018, "Parallelizing Linear Recurrent Neural Nets Over Sequence Length"). Nothing
divides by a product of decays, so that a long sequence, whose product vanishes, is no danger.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from textrnn.layers.cells import LinearRNNCell, States
from textrnn.layers.recurrence.bptt import first_order_only
from textrnn.layers.recurrence.time_order import Length, Order, select_rows, state_lists, walk

__all__ = ["CHUNK_STEPS", "PARALLEL_STEPS", "scan"]

CHUNK_STEPS = 16
"""Steps whose coefficients are computed together, the chain between them step by step."""

PARALLEL_STEPS = 128
"""The same, where the chain is computed in parallel too."""


def scan(
    cell: LinearRNNCell,
    gates: tf.Tensor,
    states: States,
    mask: tf.Tensor | None = None,
    *,
    reverse: bool = False,
    dropout_mask: tf.Tensor | None = None,
    chunk_steps: int | None = None,
    parallel: bool = False,
) -> tuple[tf.Tensor, States]:
    """Applies a linear cell along time, chunk after chunk.

    Only the states are kept for the gradient, which computes the coefficients again.

    Args:
        cell: The cell, built.
        gates: `[T, B, G*H]`, of its `project`.
        states: The state before the first step, `[B, H]`, in a tuple.
        mask: `[T, B]` of bool, True where there is input; None: everywhere.
        reverse: Whether time runs from T-1 to 0. Outputs stay at their inputs' places.
        dropout_mask: `[B, H]`, as in the cell's `step`, or None.
        chunk_steps: Steps of a chunk; `CHUNK_STEPS` or `PARALLEL_STEPS` if None.
        parallel: Whether the chain inside a chunk is an associative scan of logarithmic depth
            (Blelloch 1990, "Prefix Sums and Their Applications"): more work, but few operations,
            for devices that are wide.

    Returns:
        The outputs `[T, B, H]` and the state after the last step, as `unroll`'s.

    Raises:
        LookupError: By TensorFlow, if a second derivative is asked for; the unroll kernel has it.
    """
    if chunk_steps is None:
        chunk_steps = PARALLEL_STEPS if parallel else CHUNK_STEPS
    steps = tf.shape(gates)[0] if gates.shape[0] is None else gates.shape[0]
    order = Order(steps, reverse)

    def chunk_mask(start: Length, count: int) -> tf.Tensor | None:
        return None if mask is None else tf.reshape(_rows(mask, start, count), [-1])

    def where_input(real: tf.Tensor | None, values: tf.Tensor, otherwise: float) -> tf.Tensor:
        if real is None:
            return values
        rows = tf.reshape(values, [-1, cell.units])
        chosen = select_rows(real, rows, tf.fill(tf.shape(rows), tf.cast(otherwise, rows.dtype)))
        return tf.ensure_shape(tf.reshape(chosen, tf.shape(values)), values.shape)

    def chain(
        decay: list[tf.Tensor], update: list[tf.Tensor], state: tf.Tensor, *, reverse: bool
    ) -> list[tf.Tensor]:
        """The states after each step of a chunk; all lists are in order of time."""
        if parallel and len(decay) > 1:
            decays, updates = keras.ops.associative_scan(
                _compose, (tf.stack(decay), tf.stack(update)), reverse=reverse, axis=0
            )
            chunk = tf.ensure_shape(decays * state + updates, [len(decay), *state.shape])
            rows: list[tf.Tensor] = tf.unstack(chunk)
            return rows
        result = [state] * len(decay)
        for offset in Order(len(decay), reverse).offsets(len(decay)):
            result[offset] = state = decay[offset] * state + update[offset]
        return result

    def forwards(gates: tf.Tensor, state: tf.Tensor) -> tuple[tf.Tensor, tf.TensorArray]:
        def body(first: Length, count: int, carry: Any) -> Any:
            state, written = carry
            start = order.start(first, count)
            decay, update = cell.coefficients(
                _rows(gates, start, count), dropout_mask=dropout_mask
            )  # [K, B, H]
            real = chunk_mask(start, count)
            decay, update = where_input(real, decay, 1.0), where_input(real, update, 0.0)
            chunk = chain(tf.unstack(decay), tf.unstack(update), state, reverse=reverse)
            for offset in range(count):
                written = written.write(order.after(start + offset), chunk[offset])
            return chunk[order.offsets(count)[-1]], written

        carry = (state, *state_lists(order, (state,)))
        ends: tuple[tf.Tensor, tf.TensorArray] = walk(
            body, steps, chunk_steps=chunk_steps, carry=carry
        )
        return ends

    @tf.custom_gradient
    def recurrence(gates: tf.Tensor, state: tf.Tensor) -> Any:
        final, written = forwards(gates, state)
        all_states = tf.ensure_shape(written.stack(), [None, *state.shape])  # [T+1, B, H]

        def gradient(d_outputs: tf.Tensor, d_final: tf.Tensor) -> tuple[tf.Tensor, ...]:
            back = order.backwards

            def body(first: Length, count: int, carry: Any) -> Any:
                d_state, written = carry
                start = back.start(first, count)
                chunk = _rows(gates, start, count)
                with tf.GradientTape() as tape:
                    tape.watch(chunk)
                    decay, update = cell.coefficients(chunk, dropout_mask=dropout_mask)
                real = chunk_mask(start, count)
                kept = tf.unstack(where_input(real, decay, 1.0))
                # Each step's gradient is reached through the decay of the step after it.
                ones = tf.ones_like(kept[0])
                d_chunk = chain(
                    [ones, *kept[:-1]] if reverse else [*kept[1:], ones],
                    tf.unstack(_rows(d_outputs, start, count)),
                    d_state,
                    reverse=back.reverse,
                )
                last = back.offsets(count)[-1]
                d_state = kept[last] * d_chunk[last]
                d_update = where_input(real, tf.stack(d_chunk), 0.0)
                d_decay = d_update * _rows(order.inputs_of(all_states), start, count)
                d_gates = tape.gradient(
                    [decay, update], chunk, output_gradients=[d_decay, d_update]
                )
                for offset, row in enumerate(tf.unstack(d_gates)):
                    written = written.write(start + offset, row)
                return d_state, written

            written = tf.TensorArray(gates.dtype, size=steps, element_shape=gates.shape[1:])
            d_state, written = walk(body, steps, chunk_steps=chunk_steps, carry=(d_final, written))
            d_gates = tf.ensure_shape(written.stack(), gates.shape)
            return first_order_only(d_gates), first_order_only(d_state)

        return (order.outputs_of(all_states), final), gradient

    outputs, final = recurrence(gates, states[0])
    return tf.ensure_shape(outputs, [gates.shape[0], *states[0].shape]), (final,)


def _rows(tensor: tf.Tensor, start: Length, count: int) -> tf.Tensor:
    """`count` rows of `[T, ...]` from `start` on."""
    inner = tf.shape(tensor)[1:]
    rows = tf.slice(
        tensor, tf.concat([[start], tf.zeros_like(inner)], 0), tf.concat([[count], inner], 0)
    )
    return tf.ensure_shape(rows, [count, *tensor.shape[1:]])


def _compose(first: States, then: States) -> States:
    """One step in place of two: `a2 (a1 h + u1) + u2 = (a2 a1) h + (a2 u1 + u2)`."""
    (a1, u1), (a2, u2) = first, then
    return a2 * a1, a2 * u1 + u2
