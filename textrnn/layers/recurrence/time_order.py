"""Walking along time, some steps written out in each iteration of a loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import tensorflow as tf

__all__ = ["Order", "select_rows", "state_lists", "walk"]

Length: TypeAlias = int | tf.Tensor


@dataclass(frozen=True)
class Order:
    """The order in which T time steps are taken, and where the states between them are kept.

    T steps have T+1 states around them; `before(t)` and `after(t)` are the places of those before
    and after the step at time t, in a list in the order of time.

    Attributes:
        steps: T.
        reverse: Whether time runs from T-1 to 0.
    """

    steps: Length
    reverse: bool

    @property
    def backwards(self) -> Order:
        """The order of the way back."""
        return Order(self.steps, not self.reverse)

    def start(self, first: Length, count: int) -> Length:
        """The lowest time of the `count` steps from the `first` one of this order on."""
        return self.steps - first - count if self.reverse else first

    def offsets(self, count: int) -> range:
        """What to add to that time, in this order, to get each of the `count` times."""
        return range(count - 1, -1, -1) if self.reverse else range(count)

    def before(self, t: Length) -> Length:
        """The place of the state before time t."""
        return t + 1 if self.reverse else t

    def after(self, t: Length) -> Length:
        """The place of the state after time t."""
        return t if self.reverse else t + 1

    def inputs_of(self, states: tf.Tensor) -> tf.Tensor:
        """Of `[T+1, B, H]` states those before each time, `[T, B, H]`."""
        return states[1:] if self.reverse else states[:-1]

    def outputs_of(self, states: tf.Tensor) -> tf.Tensor:
        """Of `[T+1, B, H]` states those after each time, `[T, B, H]`."""
        return states[:-1] if self.reverse else states[1:]


def walk(
    body: Callable[[Length, int, Any], Any], steps: Length, *, chunk_steps: int, carry: Any
) -> Any:
    """Takes all steps, `chunk_steps` of them in each iteration of a loop, those left one by one.

    The graph's size does not depend on `steps`, which need not be known.

    Args:
        body: `(first, count, carry) -> carry` takes the `count` steps from the `first` one on.
        steps: How many there are.
        chunk_steps: How many of them `body` writes out at a time.
        carry: What the first step starts with: tensors and TensorArrays of unchanging shapes.

    Returns:
        The carry after the last step.
    """
    shapes = tf.nest.map_structure(
        lambda part: tf.TensorShape(None) if isinstance(part, tf.TensorArray) else part.shape, carry
    )
    whole = steps // chunk_steps * chunk_steps
    for count, start, stop in ((chunk_steps, 0, whole), (1, whole, steps)):
        if isinstance(stop, int) and isinstance(start, int) and start == stop:
            continue
        _, carry = tf.while_loop(
            lambda first, _, stop=stop: first < stop,
            lambda first, carry, count=count: (first + count, body(first, count, carry)),
            (start, carry),
            shape_invariants=(tf.TensorShape([]), shapes),
            parallel_iterations=1,
            maximum_iterations=(stop - start) // count,
        )
    return carry


def state_lists(order: Order, states: tuple[tf.Tensor, ...]) -> tuple[tf.TensorArray, ...]:
    """Lists for the T+1 values of each state, with those before the first step in them."""
    first = order.steps if order.reverse else 0
    lists = (
        tf.TensorArray(
            state.dtype, size=order.steps + 1, element_shape=state.shape, clear_after_read=False
        )
        for state in states
    )
    return tuple(kept.write(first, state) for kept, state in zip(lists, states, strict=True))


def select_rows(mask: tf.Tensor, new: tf.Tensor, old: tf.Tensor) -> tf.Tensor:
    """Rows of `new` where `mask` `[B]` is True, else of `old`."""
    # tf.where would broadcast, and its gradient then sums over axes found at run time.
    return tf.raw_ops.Select(condition=mask, x=new, y=old)
