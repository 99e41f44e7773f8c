"""The written-out loop over time: the definition of a recurrence.

Everything here is time-major: T time, B batch, G*H gates, H state.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from textrnn.cells import States

__all__ = ["CHUNK_STEPS", "STATIC_STEPS", "Step", "recur", "unroll", "unroll_chunks"]

Step = Callable[[tf.Tensor, States], tuple[tf.Tensor, States]]

STATIC_STEPS = 32
"""Inputs known to be no longer than this are written out whole."""

CHUNK_STEPS = 8
"""Steps written out in one iteration of the loop over longer inputs."""


def recur(
    step: Step,
    gates: tf.Tensor,
    states: States,
    mask: tf.Tensor | None = None,
    *,
    reverse: bool = False,
) -> tuple[tf.Tensor, States]:
    """Applies `step` at each time step: written out whole if short, else in chunks.

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
    if gates.shape[0] is not None and gates.shape[0] <= STATIC_STEPS:
        return unroll(step, gates, states, mask, reverse=reverse)
    return unroll_chunks(step, gates, states, mask, reverse=reverse)


def unroll(
    step: Step,
    gates: tf.Tensor,
    states: States,
    mask: tf.Tensor | None = None,
    *,
    reverse: bool = False,
) -> tuple[tf.Tensor, States]:
    """Writes out every step; the number of steps must be known. This is the definition:

        for t in 0 .. T-1 (or T-1 .. 0 if `reverse`):
            output_t, new = step(gates_t, states)
            states        = new       where mask_t, else states
            output_t      = output_t  where mask_t, else the output of the step before

    Before its first unmasked step a row's output is its initial state if the cell's output is
    that state, else zero. Arguments and results are those of `recur`.
    """
    masks = None if mask is None else tf.unstack(mask)
    output = tf.zeros_like(states[0])
    outputs = []
    rows = tf.unstack(gates)
    for t in _times(len(rows), reverse):
        output, states = _masked_step(step, rows[t], states, output, masks and masks[t])
        outputs.append(output)
    return tf.stack(outputs[::-1] if reverse else outputs), states


def unroll_chunks(
    step: Step,
    gates: tf.Tensor,
    states: States,
    mask: tf.Tensor | None = None,
    *,
    reverse: bool = False,
    chunk_steps: int = CHUNK_STEPS,
) -> tuple[tf.Tensor, States]:
    """The same steps, `chunk_steps` of them written out in each iteration of a loop.

    The graph's size does not depend on T, which need not be known. T is filled up to a multiple
    of `chunk_steps` with masked steps. Arguments and results are otherwise those of `recur`.
    """
    steps, batch = _length(gates), tf.shape(gates)[1]
    chunks = -(-steps // chunk_steps)
    surplus = chunks * chunk_steps - steps
    if mask is None and not (isinstance(surplus, int) and surplus == 0):
        mask = tf.ones([steps, batch], tf.bool)

    def chunked(tensor: tf.Tensor) -> tf.TensorArray:
        fill = [[0, surplus]] + [[0, 0]] * (tensor.shape.rank - 1)
        inner = tf.shape(tensor)[1:]
        shape = tf.concat([[chunks, chunk_steps], inner], axis=0)
        pieces = tf.ensure_shape(
            tf.reshape(tf.pad(tensor, fill), shape), [None, chunk_steps, *tensor.shape[1:]]
        )
        array = tf.TensorArray(
            tensor.dtype, size=chunks, element_shape=[chunk_steps, *tensor.shape[1:]]
        )
        return array.unstack(pieces)

    gates_chunks = chunked(gates)
    mask_chunks = None if mask is None else chunked(mask)
    output = tf.zeros_like(states[0])
    written = tf.TensorArray(output.dtype, size=chunks, element_shape=[chunk_steps, *output.shape])

    def body(
        i: tf.Tensor, states: States, output: tf.Tensor, written: tf.TensorArray
    ) -> tuple[tf.Tensor, States, tf.Tensor, tf.TensorArray]:
        place = chunks - 1 - i if reverse else i
        rows = tf.unstack(gates_chunks.read(place))
        masks = None if mask_chunks is None else tf.unstack(mask_chunks.read(place))
        outputs = []
        for t in _times(chunk_steps, reverse):
            output, states = _masked_step(step, rows[t], states, output, masks and masks[t])
            outputs.append(output)
        written = written.write(place, tf.stack(outputs[::-1] if reverse else outputs))
        return i + 1, states, output, written

    _, states, _, written = tf.while_loop(
        lambda i, *_: i < chunks,
        body,
        (0, states, output, written),
        maximum_iterations=chunks,
        shape_invariants=(
            tf.TensorShape([]),
            tuple(state.shape for state in states),
            output.shape,
            tf.TensorShape(None),
        ),
    )
    outputs = tf.reshape(written.stack(), [chunks * chunk_steps, batch, output.shape[-1]])[:steps]
    return tf.ensure_shape(outputs, [gates.shape[0], *output.shape]), states


def _masked_step(
    step: Step,
    gates: tf.Tensor,
    states: States,
    previous_output: tf.Tensor,
    mask: tf.Tensor | None,
) -> tuple[tf.Tensor, States]:
    """One step of one time's `gates` `[B, G*H]`, taken where `mask` `[B]` is True."""
    output, new_states = step(gates, states)
    if mask is None:
        return output, new_states
    kept = tuple(_select_rows(mask, new, old) for new, old in zip(new_states, states, strict=True))
    if output is new_states[0]:
        return kept[0], kept
    return _select_rows(mask, output, previous_output), kept


def _select_rows(mask: tf.Tensor, new: tf.Tensor, old: tf.Tensor) -> tf.Tensor:
    """Rows of `new` where `mask` `[B]` is True, else of `old`."""
    # tf.where would broadcast, and its gradient then sums over axes found at run time.
    return tf.raw_ops.Select(condition=mask, x=new, y=old)


def _times(steps: int, reverse: bool) -> range:
    return range(steps - 1, -1, -1) if reverse else range(steps)


def _length(gates: tf.Tensor) -> int | tf.Tensor:
    return tf.shape(gates)[0] if gates.shape[0] is None else gates.shape[0]
