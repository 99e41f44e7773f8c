"""The scan of a cell against the chunked kernel.

    python scan_lengths.py CELL [backward]

compiles the scan by XLA for each number of steps from 1 to 300, with its gradients, and prints the
numbers that were right.
"""

from __future__ import annotations

import functools
import sys
from typing import Any

import numpy as np
import tensorflow as tf

from textrnn.layers.cells import CELLS, RNNCell
from textrnn.layers.recurrence import Recurrence, recur

BATCH, INPUTS, UNITS = 2, 3, 4


def built(cell_name: str, rng: np.random.Generator, *, dtype: str) -> RNNCell:
    cell = CELLS[cell_name](UNITS, dtype=dtype)
    cell.build((None, INPUTS))
    cell.set_weights([rng.normal(size=weight.shape) for weight in cell.get_weights()])
    return cell


def results_and_gradients(
    cell: RNNCell, inputs: tf.Tensor, mask: tf.Tensor, *, kernel: str, reverse: bool
) -> list[tf.Tensor]:
    """Outputs, final state, and the gradients of a sum of both in inputs, state and weights."""
    weights = [weight.value for weight in cell.trainable_weights]
    state = tf.cast(tf.fill([inputs.shape[1], UNITS], 0.5), cell.state_dtype)
    with tf.GradientTape() as tape:
        tape.watch([inputs, state])
        recurrence = Recurrence(cell, cell.project(inputs), (state,), mask, reverse)
        outputs, (final,) = recur(recurrence, kernel=kernel)
        total = tf.reduce_sum(tf.sin(3.0 * outputs)) + tf.reduce_sum(tf.sin(final + 0.5))
    return [outputs, final, *tape.gradient(total, [inputs, state, *weights])]


def case(
    cell_name: str, steps: int, rng: np.random.Generator, *, dtype: str = "float32"
) -> tuple[RNNCell, tf.Tensor, tf.Tensor]:
    cell = built(cell_name, rng, dtype=dtype)
    inputs = tf.constant(rng.normal(size=(steps, BATCH, INPUTS)), cell.compute_dtype)
    lengths = [steps, rng.integers(0, steps + 1)]
    mask = tf.transpose(tf.sequence_mask(lengths, steps))  # [T, B]; the second row may be empty
    return cell, inputs, mask


def assert_equal_to_the_loop(
    cell_name: str, steps: int, rng: np.random.Generator, *, reverse: bool, jit: bool, **kwargs: Any
) -> None:
    cell, inputs, mask = case(cell_name, steps, rng, **kwargs)
    run = functools.partial(results_and_gradients, cell, inputs, mask, reverse=reverse)
    scanned = tf.function(functools.partial(run, kernel="scan"), jit_compile=jit)()
    expected = run(kernel="chunked")
    tolerance = 2e-2 if cell.compute_dtype == "bfloat16" else 2e-5
    for actual, wanted in zip(scanned, expected, strict=True):
        actual, wanted = (np.asarray(tf.cast(x, tf.float32)) for x in (actual, wanted))
        assert actual.shape == wanted.shape
        size = max(float(np.linalg.norm(wanted)), 1e-3)
        assert np.linalg.norm(actual - wanted) <= tolerance * size, f"{steps=}"


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    for steps in range(1, 301):
        assert_equal_to_the_loop(
            sys.argv[1], steps, rng, reverse=sys.argv[2:] == ["backward"], jit=True
        )
        print(steps, flush=True)
