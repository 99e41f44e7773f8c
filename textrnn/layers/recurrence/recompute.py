"""Long texts in little memory: segments whose activations the gradient computes again.

Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost". For each segment only its inputs,
its outputs and the states before it are saved. With T steps in segments of S, the activations of
the steps (gates, cell states) are held for S steps at a time. The price is a second forward pass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from textrnn.layers.cells import States
from textrnn.layers.recurrence.bptt import first_order_only
from textrnn.layers.recurrence.time_order import Length, Order

__all__ = ["recur_in_segments"]

Run = Callable[[tf.Tensor, States, tf.Tensor | None], tuple[tf.Tensor, States]]


def recur_in_segments(
    run: Run,
    inputs: tf.Tensor,
    *,
    states: States,
    mask: tf.Tensor | None = None,
    reverse: bool = False,
    segment_steps: int,
) -> tuple[tf.Tensor, States]:
    """Runs a recurrence segment by segment; the gradient runs each segment again.

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
    steps = tf.shape(inputs)[0] if inputs.shape[0] is None else inputs.shape[0]
    segments = _Segments(steps, segment_steps, -(-steps // segment_steps), reverse)
    recomputed = _Recomputed(run, segments, mask)
    outputs, *finals = tf.custom_gradient(recomputed.compute)(inputs, *states)
    return outputs, tuple(finals)


@dataclass(frozen=True)
class _Segments:
    """T steps in segments of S; the last one may be shorter.

    Attributes:
        steps: T.
        segment_steps: S.
        count: The number of segments.
        reverse: Whether the last segment comes first.
    """

    steps: Length
    segment_steps: int
    count: Length
    reverse: bool

    @property
    def order(self) -> Order:
        """The order in which the segments are read."""
        return Order(self.count, self.reverse)

    @property
    def static_steps(self) -> int | None:
        """S if every segment is known to have S steps, else None."""
        whole = isinstance(self.steps, int) and self.steps % self.segment_steps == 0
        return self.segment_steps if whole else None

    def cut(self, tensor: tf.Tensor, place: Any) -> tf.Tensor:
        """The segment `[S, ...]` at a place of a tensor `[T, ...]`."""
        start = place * self.segment_steps
        count = self.static_steps or tf.minimum(self.segment_steps, self.steps - start)
        rest = tensor.shape.rank - 1
        segment = tf.slice(tensor, [start] + [0] * rest, [count] + [-1] * rest)
        return tf.ensure_shape(segment, [self.static_steps, *tensor.shape[1:]])

    def list_like(self, tensor: tf.Tensor) -> tf.TensorArray:
        """An empty list of one segment of a tensor `[T, ...]` after the other."""
        shape = [self.static_steps, *tensor.shape[1:]]
        return tf.TensorArray(tensor.dtype, size=self.count, element_shape=shape, infer_shape=False)

    def loop(self, body: Callable[[Any, Any], Any], carry: Any) -> Any:
        """Calls `body(number, carry) -> carry` for each segment; returns the last carry."""
        shapes = tf.nest.map_structure(
            lambda value: (
                tf.TensorShape(None) if isinstance(value, tf.TensorArray) else value.shape
            ),
            carry,
        )
        return tf.while_loop(
            lambda i, _: i < self.count,
            lambda i, carry: (i + 1, body(i, carry)),
            (0, carry),
            shape_invariants=(tf.TensorShape([]), shapes),
            parallel_iterations=1,
            maximum_iterations=self.count,
        )[1]


@dataclass(frozen=True)
class _Recomputed:
    """The recurrence over all segments, as one function with a custom gradient."""

    run: Run
    segments: _Segments
    mask: tf.Tensor | None

    def compute(self, inputs: tf.Tensor, *states: tf.Tensor) -> Any:
        """Computes the outputs and the final states.

        Args:
            inputs: `[T, B, E]`.
            *states: The initial states.

        Returns:
            The outputs and the final states in one tuple, and the function of their gradients.
        """
        segments = self.segments
        state_lists = tuple(
            tf.TensorArray(
                s.dtype, size=segments.count, element_shape=s.shape, clear_after_read=False
            )
            for s in states
        )

        def read(i: Any, carry: Any) -> Any:
            states, state_lists, written = carry
            place = segments.order.start(i, 1)
            pairs = zip(state_lists, states, strict=True)
            state_lists = tuple(values.write(place, state) for values, state in pairs)
            outputs, states = self.run_segment(segments.cut(inputs, place), states, place)
            return tuple(states), state_lists, written.write(place, outputs)

        written = segments.list_like(states[0][tf.newaxis])
        finals, state_lists, written = segments.loop(read, (states, state_lists, written))

        def gradient(d_outputs: tf.Tensor, *d_finals: tf.Tensor, variables: Any = ()) -> Any:
            backward = _Backward(self, inputs, state_lists, d_outputs, tuple(variables))
            *gradients, d_variables = backward.compute(d_finals)
            checked = tuple(first_order_only(d) for d in gradients)
            return (checked, list(d_variables)) if variables else checked

        outputs = tf.ensure_shape(written.concat(), [inputs.shape[0], *states[0].shape])
        return (outputs, *finals), gradient

    def run_segment(
        self, inputs: tf.Tensor, states: States, place: Any
    ) -> tuple[tf.Tensor, States]:
        """Runs the recurrence over the segment at a place."""
        mask = None if self.mask is None else self.segments.cut(self.mask, place)
        return self.run(inputs, states, mask)


@dataclass(frozen=True)
class _Backward:
    """The gradient of all segments, the last one that was read first.

    Attributes:
        forward: The recurrence.
        inputs: `[T, B, E]`.
        state_lists: The states before each segment.
        d_outputs: The gradients of the outputs, `[T, B, H]`.
        variables: The variables that the recurrence reads.
    """

    forward: _Recomputed
    inputs: tf.Tensor
    state_lists: tuple[tf.TensorArray, ...]
    d_outputs: tf.Tensor
    variables: tuple[Any, ...]

    def compute(self, d_finals: States) -> tuple[Any, ...]:
        """The gradients of the inputs and of each initial state, then a tuple for the variables."""
        segments = self.forward.segments
        zeros = tuple(tf.zeros(v.shape, v.dtype) for v in self.variables)
        d_states, written, d_variables = segments.loop(
            self._segment, (d_finals, segments.list_like(self.inputs), zeros)
        )
        d_inputs = tf.ensure_shape(written.concat(), self.inputs.shape)
        return (d_inputs, *d_states, d_variables)

    def _segment(self, i: Any, carry: Any) -> Any:
        d_states, written, d_variables = carry
        segments = self.forward.segments
        place = segments.order.backwards.start(i, 1)
        inputs = segments.cut(self.inputs, place)
        before = tuple(values.read(place) for values in self.state_lists)
        with tf.GradientTape() as tape:
            tape.watch([inputs, *before])
            outputs, after = self.forward.run_segment(inputs, before, place)
        d_inputs, *gradients = tape.gradient(
            [outputs, *after],
            [inputs, *before, *self.variables],
            output_gradients=[segments.cut(self.d_outputs, place), *d_states],
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        totals = zip(d_variables, gradients[len(before) :], strict=True)
        d_variables = tuple(total + d for total, d in totals)
        return tuple(gradients[: len(before)]), written.write(place, d_inputs), d_variables
