"""The recurrences against their definition, for a step that is no cell's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from cases import assert_close, few

from textrnn.layers.cells import States
from textrnn.layers.recurrence.unroll import unroll, unroll_chunks

BATCH, UNITS, CHUNK = 3, 2, 4
LENGTHS = [1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 3]

Recurrence = Callable[..., tuple[tf.Tensor, States]]


def own_output(gates: tf.Tensor, states: States) -> tuple[tf.Tensor, States]:
    """A step whose output is not its state."""
    a, b = states
    new_a, new_b = tf.tanh(gates - a * b), 0.5 * b + a
    return new_a + 3.0 * new_b, (new_a, new_b)


def state_output(gates: tf.Tensor, states: States) -> tuple[tf.Tensor, States]:
    """A step whose output is its state."""
    a, b = states
    new_a, new_b = tf.tanh(gates - a * b), 0.5 * b + a
    return new_a, (new_a, new_b)


def chunks(*arguments: Any, **settings: Any) -> tuple[tf.Tensor, States]:
    return unroll_chunks(*arguments, **settings, chunk_steps=CHUNK)


def gates_and_states(
    rng: np.random.Generator, steps: int
) -> tuple[tf.Tensor, tuple[tf.Tensor, tf.Tensor]]:
    gates = tf.constant(rng.normal(size=(steps, BATCH, UNITS)))
    first, second = (tf.constant(rng.normal(size=(BATCH, UNITS))) for _ in range(2))
    return gates, (first, second)


def random_mask(rng: np.random.Generator, steps: int) -> tf.Tensor:
    """Some steps of the first row, none of the second, and all of the third are masked."""
    mask = rng.random((steps, BATCH)) < 0.6
    mask[:, 1], mask[:, 2] = True, False
    return tf.constant(mask)


def values_and_gradients(recurrence: Recurrence, *arguments: Any, **settings: Any) -> list[Any]:
    """Outputs, states, and the gradients of a sum of both in gates and initial states."""
    step, gates, states, *masks = arguments
    mask = masks[0] if masks else None
    with tf.GradientTape() as tape:
        tape.watch([gates, states])
        outputs, finals = recurrence(step, gates, states=states, mask=mask, **settings)
        weights = tf.cast(tf.range(1, tf.size(outputs) + 1), outputs.dtype)
        total = tf.reduce_sum(tf.reshape(outputs, [-1]) * tf.sin(weights))
        total += tf.reduce_sum(finals[0] * finals[1] + finals[1])
    return [outputs, finals, tape.gradient(total, [gates, *states])]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("step", [own_output, state_output])
@pytest.mark.parametrize("recurrence", [unroll, chunks])
def test_masked_steps_carry_states_and_output_over(
    recurrence: Recurrence, step: Any, reverse: bool, rng: np.random.Generator
) -> None:
    steps = 5
    gates, states = gates_and_states(rng, steps)
    mask = random_mask(rng, steps)
    outputs, finals = recurrence(step, gates, states=states, mask=mask, reverse=reverse)
    for row in range(BATCH):
        now = tuple(state[row] for state in states)
        output = now[0] if step is state_output else tf.zeros_like(now[0])
        for t in reversed(range(steps)) if reverse else range(steps):
            if mask[t, row]:
                output, now = step(gates[t, row], now)
            assert_close(outputs[t, row], output)
        assert_close([final[row] for final in finals], now)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("steps", LENGTHS)
def test_chunks_equal_the_unrolled_loop(
    steps: int, masked: bool, reverse: bool, rng: np.random.Generator
) -> None:
    arguments: tuple[Any, ...] = (own_output, *gates_and_states(rng, steps))
    arguments += (random_mask(rng, steps),) if masked else ()
    expected = values_and_gradients(unroll, *arguments, reverse=reverse)
    assert_close(values_and_gradients(chunks, *arguments, reverse=reverse), expected)


@pytest.mark.thorough
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("masked", few([True, False]))
def test_time_and_batch_may_be_unknown_in_a_graph(
    masked: bool, reverse: bool, rng: np.random.Generator
) -> None:
    state = tf.TensorSpec([None, UNITS], tf.float64)
    mask = [tf.TensorSpec([None, None], tf.bool)] if masked else []

    @tf.function(
        input_signature=[tf.TensorSpec([None, None, UNITS], tf.float64), (state, state), *mask]
    )
    def graph(*arguments: Any) -> list[Any]:
        results = values_and_gradients(chunks, own_output, *arguments, reverse=reverse)
        assert results[0].shape.as_list() == [None, None, UNITS]
        return results

    for steps in LENGTHS:
        arguments: tuple[Any, ...] = gates_and_states(rng, steps)
        arguments += (random_mask(rng, steps),) if masked else ()
        expected = values_and_gradients(unroll, own_output, *arguments, reverse=reverse)
        assert_close(graph(*arguments), expected)


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("steps", "reverse"),
    [
        pytest.param(CHUNK, False, marks=pytest.mark.thorough),
        pytest.param(2 * CHUNK + 3, False, marks=pytest.mark.thorough),
        (2 * CHUNK + 3, True),
    ],
)
def test_compiled_chunks_equal_the_unrolled_loop(
    steps: int, reverse: bool, rng: np.random.Generator
) -> None:
    arguments: tuple[Any, ...] = (
        own_output,
        *gates_and_states(rng, steps),
        random_mask(rng, steps),
    )
    compiled = tf.function(values_and_gradients, jit_compile=True)
    expected = values_and_gradients(unroll, *arguments, reverse=reverse)
    assert_close(compiled(chunks, *arguments, reverse=reverse), expected)


def test_unroll_needs_a_known_number_of_steps() -> None:
    @tf.function(input_signature=[tf.TensorSpec([None, BATCH, UNITS])])
    def graph(gates: tf.Tensor) -> tf.Tensor:
        return unroll(state_output, gates, states=(gates[0], gates[0]))[0]

    with pytest.raises(ValueError, match="Cannot infer argument `num`"):
        graph.get_concrete_function()
