"""Walking along time in a loop whose iterations write out several steps each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import tensorflow as tf

__all__ = ["Order", "select_rows", "state_lists", "walk"]

Length: TypeAlias = int | tf.Tensor


@dataclass(frozen=True)
class Order:
    """The order in which T time steps are taken, and the places of the states around them.

    T steps have T+1 states around them. In a list in the order of time, `before(t)` and `after(t)`
    are the places of the states before and after the step at time t.

    Attributes:
        steps: T.
        reverse: Whether time runs from T-1 to 0.
    """

    steps: Length
    reverse: bool

    @property
    def backwards(self) -> Order:
        """The opposite order, in which the gradient walks."""
        return Order(self.steps, not self.reverse)

    def start(self, first: Length, count: int) -> Length:
        """The lowest time of `count` steps, beginning with the `first` one in this order."""
        return self.steps - first - count if self.reverse else first

    def offsets(self, count: int) -> range:
        """The distances of `count` steps, in this order, from the lowest of their times."""
        return range(count - 1, -1, -1) if self.reverse else range(count)

    def times(self, first: Length, count: int) -> Iterator[Length]:
        """The times of `count` steps, beginning with the `first` one in this order."""
        start = self.start(first, count)
        return (start + offset for offset in self.offsets(count))

    def before(self, t: Length) -> Length:
        """The place of the state before time t."""
        return t + 1 if self.reverse else t

    def after(self, t: Length) -> Length:
        """The place of the state after time t."""
        return t if self.reverse else t + 1

    def inputs_of(self, states: tf.Tensor) -> tf.Tensor:
        """The states `[T, B, H]` before each time, from all states `[T+1, B, H]`."""
        return states[1:] if self.reverse else states[:-1]

    def outputs_of(self, states: tf.Tensor) -> tf.Tensor:
        """The states `[T, B, H]` after each time, from all states `[T+1, B, H]`."""
        return states[:-1] if self.reverse else states[1:]


def walk(
    body: Callable[[Length, int, Any], Any],
    steps: Length,
    *,
    chunk_steps: int,
    carry: Any,
    bounded: bool = False,
) -> Any:
    """Takes `chunk_steps` steps in each iteration of a loop, and the remaining steps one by one.

    The size of the graph does not depend on `steps`, which may be unknown before the graph runs.

    Args:
        body: `(first, count, carry) -> carry` takes `count` steps, beginning with the `first` one.
        steps: The number of steps.
        chunk_steps: The number of steps that `body` writes out at a time.
        carry: The carry before the first step: tensors and TensorArrays whose shapes never change.
        bounded: Whether the loop knows its number of iterations, which XLA needs to differentiate
            it. On a GPU the bound costs a wait for the host in every iteration.

    Returns:
        The carry after the last step.
    """
    shapes = tf.nest.map_structure(
        lambda value: tf.TensorShape(None) if isinstance(value, tf.TensorArray) else value.shape,
        carry,
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
            maximum_iterations=(stop - start) // count if bounded else None,
        )
    return carry


def state_lists(order: Order, states: tuple[tf.Tensor, ...]) -> tuple[tf.TensorArray, ...]:
    """Makes a list for the T+1 values of each state, and writes the initial states into it."""
    first = order.steps if order.reverse else 0
    lists = (
        tf.TensorArray(
            state.dtype, size=order.steps + 1, element_shape=state.shape, clear_after_read=False
        )
        for state in states
    )
    return tuple(values.write(first, state) for values, state in zip(lists, states, strict=True))


def select_rows(mask: tf.Tensor, new: tf.Tensor, old: tf.Tensor) -> tf.Tensor:
    """Selects rows of `new` where `mask` `[B]` is True, and rows of `old` elsewhere."""
    # tf.where would broadcast: its gradient sums over axes that are only known at run time.
    return tf.raw_ops.Select(condition=mask, x=new, y=old)
