"""The order of time steps, and walking along them."""

from __future__ import annotations

from typing import Any

import pytest
import tensorflow as tf

from textrnn.layers.recurrence.time_order import Order, walk


def test_times_and_places_run_with_the_order() -> None:
    forwards, backwards = Order(5, False), Order(5, True)
    assert forwards.backwards == backwards
    assert list(forwards.times(1, 3)) == [1, 2, 3]
    assert list(backwards.times(1, 3)) == [3, 2, 1]
    assert (forwards.before(2), forwards.after(2)) == (2, 3)
    assert (backwards.before(2), backwards.after(2)) == (3, 2)


def test_states_stand_before_and_after_each_step() -> None:
    states = tf.range(4)
    for order, inputs, outputs in (
        (Order(3, False), [0, 1, 2], [1, 2, 3]),
        (Order(3, True), [1, 2, 3], [0, 1, 2]),
    ):
        assert order.inputs_of(states).numpy().tolist() == inputs
        assert order.outputs_of(states).numpy().tolist() == outputs


@pytest.mark.thorough
@pytest.mark.parametrize("steps", [0, 1, 3, 7])
@pytest.mark.parametrize("known", [False, True])
def test_every_step_is_taken_once_and_in_order(steps: int, known: bool) -> None:
    def digits(first: Any, count: int, carry: tf.Tensor) -> tf.Tensor:
        for offset in range(count):
            carry = 10 * carry + tf.cast(first + offset, tf.int64)
        return carry

    @tf.function
    def run(length: tf.Tensor) -> tf.Tensor:
        length = steps if known else length
        return walk(digits, length, chunk_steps=3, carry=tf.constant(0, tf.int64))

    expected = int("".join(map(str, range(steps))) or "0")
    assert int(run(tf.constant(steps))) == expected
