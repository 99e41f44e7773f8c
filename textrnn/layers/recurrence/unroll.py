"""The written-out loop over time: the definition of a recurrence.

Everything in this folder is time-major: T time, B batch, G*H gates, H state.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from textrnn.layers.cells import States
from textrnn.layers.recurrence.time_order import Length, Order, select_rows, walk

__all__ = ["CHUNK_STEPS", "STATIC_STEPS", "Step", "unroll", "unroll_chunks"]

Step = Callable[[tf.Tensor, States], tuple[tf.Tensor, States]]

STATIC_STEPS = 32
"""Inputs that are known to have at most this number of steps are written out completely."""

CHUNK_STEPS = 8
"""The number of steps that one iteration of the loop over longer inputs writes out."""


def unroll(
    step: Step,
    gates: tf.Tensor,
    *,
    states: States,
    mask: tf.Tensor | None = None,
    reverse: bool = False,
) -> tuple[tf.Tensor, States]:
    """Writes out every step. The number of steps must be known. This is the definition:

        for t in 0 .. T-1 (or T-1 .. 0 if `reverse`):
            output_t, new = step(gates_t, states)
            states        = new       where mask_t, else states
            output_t      = output_t  where mask_t, else the output of the step before

    Before its first unmasked step a row's output is its initial state if the cell's output is
    that state, else zero.

    Args:
        step: `(gates_t [B, G*H], states) -> (output_t [B, H], states)`; the output has the first
            state's shape.
        gates: `[T, B, G*H]`, at least one time step.
        states: The states before the first step, each `[B, H]`.
        mask: `[T, B]` of bool, True where there is input; None: everywhere.
        reverse: Whether time runs from T-1 to 0. Outputs stay at their inputs' places.

    Returns:
        The outputs `[T, B, H]` and the states after the last step, each `[B, H]`.
    """
    masks = None if mask is None else tf.unstack(mask)
    output = tf.zeros_like(states[0])
    rows = tf.unstack(gates)
    outputs: list[Any] = [None] * len(rows)
    for t in Order(len(rows), reverse).offsets(len(rows)):
        output, states = _masked_step(step, rows[t], states, output, masks and masks[t])
        outputs[t] = output
    return tf.stack(outputs), states


def unroll_chunks(
    step: Step,
    gates: tf.Tensor,
    *,
    states: States,
    mask: tf.Tensor | None = None,
    reverse: bool = False,
    chunk_steps: int = CHUNK_STEPS,
) -> tuple[tf.Tensor, States]:
    """Computes what `unroll` computes, in a loop whose iterations write out `chunk_steps` steps.

    The size of the graph does not depend on T, which may be unknown before the graph runs. The
    arguments and results are those of `unroll`.
    """
    order = Order(tf.shape(gates)[0] if gates.shape[0] is None else gates.shape[0], reverse)
    # Lists, because the gradient of a slice is as large as the whole tensor.
    rows, masks = _rows(gates, order), None if mask is None else _rows(mask, order)
    output = tf.zeros_like(states[0])
    written = tf.TensorArray(output.dtype, size=order.steps, element_shape=output.shape)

    def body(first: Length, count: int, carry: Any) -> Any:
        states, output, written = carry
        for t in order.times(first, count):
            row_mask = None if masks is None else masks.read(t)
            output, states = _masked_step(step, rows.read(t), states, output, row_mask)
            written = written.write(t, output)
        return states, output, written

    states, _, written = walk(
        body,
        order.steps,
        chunk_steps=chunk_steps,
        carry=(tuple(states), output, written),
        bounded=True,  # TensorFlow differentiates this loop.
    )
    return tf.ensure_shape(written.stack(), [gates.shape[0], *output.shape]), states


def _rows(tensor: tf.Tensor, order: Order) -> tf.TensorArray:
    return tf.TensorArray(
        tensor.dtype, size=order.steps, element_shape=tensor.shape[1:], clear_after_read=False
    ).unstack(tensor)


def _masked_step(
    step: Step,
    gates: tf.Tensor,
    states: States,
    previous_output: tf.Tensor,
    mask: tf.Tensor | None,
) -> tuple[tf.Tensor, States]:
    """Takes one step with `gates` `[B, G*H]` where `mask` `[B]` is True."""
    output, new_states = step(gates, states)
    if mask is None:
        return output, tuple(new_states)
    selected = tuple(
        select_rows(mask, new, old) for new, old in zip(new_states, states, strict=True)
    )
    if output is new_states[0]:
        return selected[0], selected
    return select_rows(mask, output, previous_output), selected
