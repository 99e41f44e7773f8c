"""Long texts in little memory: segments whose insides are computed again for the gradient.

Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost". Of a segment only its inputs,
its outputs and the states before it are kept. With T steps in segments of S, what a step computes
on the way (gates, activations, cell states) is held for S steps at a time, at the price of one
more way forwards.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from textrnn.layers.cells import States
from textrnn.layers.recurrence.bptt import first_order_only
from textrnn.layers.recurrence.time_order import Order

__all__ = ["recur_in_segments"]

Run = Callable[[tf.Tensor, States, tf.Tensor | None], tuple[tf.Tensor, States]]


def recur_in_segments(
    run: Run,
    inputs: tf.Tensor,
    states: States,
    mask: tf.Tensor | None = None,
    *,
    reverse: bool = False,
    segment_steps: int,
) -> tuple[tf.Tensor, States]:
    """Runs a recurrence segment by segment, each computed again when its gradient is.

    Args:
        run: `(inputs [S, B, E], states, mask [S, B]) -> (outputs [S, B, H], states)`, the
            recurrence over one segment, in the direction of `reverse`.
        inputs: `[T, B, E]`.
        states: The states before the first step, each `[B, H]`.
        mask: `[T, B]` of bool, or None.
        reverse: Whether the last segment comes first.
        segment_steps: S.

    Returns:
        The outputs `[T, B, H]` and the states after the last step.
    """
    steps = inputs.shape[0]
    whole = steps is not None and steps % segment_steps == 0
    length = tf.shape(inputs)[0] if steps is None else steps
    segments = -(-length // segment_steps)
    order = Order(segments, reverse)

    def cut(tensor: tf.Tensor, place: Any) -> tf.Tensor:
        start = place * segment_steps
        count = segment_steps if whole else tf.minimum(segment_steps, length - start)
        part = tf.slice(
            tensor,
            [start] + [0] * (tensor.shape.rank - 1),
            [count] + [-1] * (tensor.shape.rank - 1),
        )
        return tf.ensure_shape(part, [segment_steps if whole else None, *tensor.shape[1:]])

    def run_segment(inputs: tf.Tensor, states: States, place: Any) -> tuple[tf.Tensor, States]:
        return run(inputs, states, None if mask is None else cut(mask, place))

    def list_of(like: tf.Tensor) -> tf.TensorArray:
        shape = [segment_steps if whole else None, *like.shape[1:]]
        return tf.TensorArray(like.dtype, size=segments, element_shape=shape, infer_shape=False)

    def loop(body: Callable[[Any, Any], Any], carry: Any) -> Any:
        shapes = tf.nest.map_structure(
            lambda part: tf.TensorShape(None) if isinstance(part, tf.TensorArray) else part.shape,
            carry,
        )
        return tf.while_loop(
            lambda i, _: i < segments,
            lambda i, carry: (i + 1, body(i, carry)),
            (0, carry),
            shape_invariants=(tf.TensorShape([]), shapes),
            parallel_iterations=1,
            maximum_iterations=segments,
        )[1]

    @tf.custom_gradient
    def recurrence(inputs: tf.Tensor, *states: tf.Tensor) -> Any:
        def body(i: Any, carry: Any) -> Any:
            states, befores, written = carry
            place = order.start(i, 1)
            befores = tuple(b.write(place, s) for b, s in zip(befores, states, strict=True))
            outputs, states = run_segment(cut(inputs, place), states, place)
            return tuple(states), befores, written.write(place, outputs)

        befores = tuple(
            tf.TensorArray(s.dtype, size=segments, element_shape=s.shape, clear_after_read=False)
            for s in states
        )
        finals, befores, written = loop(body, (states, befores, list_of(states[0][tf.newaxis])))

        def gradient(d_outputs: tf.Tensor, *d_finals: tf.Tensor, variables: Any = ()) -> Any:
            def body(i: Any, carry: Any) -> Any:
                d_states, written, d_variables = carry
                place = order.backwards.start(i, 1)
                part = cut(inputs, place)
                before = tuple(b.read(place) for b in befores)
                with tf.GradientTape() as tape:
                    tape.watch([part, *before])
                    outputs, after = run_segment(part, before, place)
                d_part, *d_rest = tape.gradient(
                    [outputs, *after],
                    [part, *before, *variables],
                    output_gradients=[cut(d_outputs, place), *d_states],
                    unconnected_gradients=tf.UnconnectedGradients.ZERO,
                )
                d_states = tuple(d_rest[: len(before)])
                d_variables = tuple(
                    total + d for total, d in zip(d_variables, d_rest[len(before) :], strict=True)
                )
                return d_states, written.write(place, d_part), d_variables

            zeros = tuple(tf.zeros(v.shape, v.dtype) for v in variables)
            d_states, written, d_variables = loop(body, (d_finals, list_of(inputs), zeros))
            d_inputs = tf.ensure_shape(written.concat(), inputs.shape)
            gradients = tuple(first_order_only(d) for d in (d_inputs, *d_states))
            return (gradients, list(d_variables)) if variables else gradients

        outputs = tf.ensure_shape(written.concat(), [inputs.shape[0], *states[0].shape])
        return (outputs, *finals), gradient

    outputs, *finals = recurrence(inputs, *states)
    return outputs, tuple(finals)
