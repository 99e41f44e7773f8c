"""Recurrences with their gradients, which the tests of the kernels share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from cases import BATCH, INPUTS, STEPS, built_cell, random_states, randomise

from textrnn.layers.cells import RNNCell, States
from textrnn.layers.recurrence import Recurrence, recur


def cell_and_inputs(
    name: str, rng: np.random.Generator, *, steps: int = STEPS, dtype: str = "float64"
) -> tuple[RNNCell, tf.Tensor, States]:
    cell = built_cell(name, dtype=dtype)
    randomise(cell, rng)
    inputs = tf.constant(rng.normal(size=(steps, BATCH, INPUTS)), dtype)
    return cell, inputs, tuple(tf.constant(state, dtype) for state in random_states(cell, rng))


def time_major(mask: np.ndarray | None) -> tf.Tensor | None:
    return None if mask is None else tf.constant(mask.T)


def results_and_gradients(
    run: Callable[..., Any], cell: RNNCell, inputs: tf.Tensor, states: States
) -> list[tf.Tensor]:
    """Outputs, states, and the gradients of a sum of both in inputs, states and weights."""
    weights = [weight.value for weight in cell.trainable_weights]
    with tf.GradientTape() as tape:
        tape.watch([inputs, *states])
        outputs, finals = run(inputs, states)
        numbers = tf.cast(tf.range(1, tf.size(outputs) + 1), outputs.dtype)
        total = tf.reduce_sum(tf.reshape(outputs, [-1]) * tf.sin(numbers))
        total += tf.add_n([tf.reduce_sum(tf.sin(final + 0.5)) for final in finals])
    return [outputs, *finals, *tape.gradient(total, [inputs, *states, *weights])]


def through(
    cell: RNNCell,
    mask: tf.Tensor | None = None,
    *,
    reverse: bool = False,
    dropout_mask: tf.Tensor | None = None,
    **settings: Any,
) -> Callable[[tf.Tensor, States], Any]:
    def run(inputs: tf.Tensor, states: States) -> Any:
        gates = cell.project(inputs)
        return recur(Recurrence(cell, gates, states, mask, reverse, dropout_mask), **settings)

    return run


def assert_relatively_close(
    actual: list[tf.Tensor], expected: list[tf.Tensor], tolerance: float
) -> None:
    for a, e in zip(actual, expected, strict=True):
        a, e = np.asarray(a), np.asarray(e)
        assert a.shape == e.shape
        assert np.linalg.norm(a - e) <= tolerance * max(float(np.linalg.norm(e)), 1e-3)
