"""The scan of whole tensors, at every length, in both directions, compiled or not."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from textrnn.layers.cells import CELLS, LinearRNNCell, RNNCell
from textrnn.layers.recurrence import Recurrence, recur
from textrnn.layers.recurrence.scan import linear_scan

BATCH, INPUTS, UNITS = 2, 3, 4
LENGTHS = [1, 2, 3, 16, 112, 240, 255, 257]

each_direction = pytest.mark.parametrize("reverse", [False, True], ids=["forward", "backward"])
each_cell = pytest.mark.parametrize(
    "cell_name", [name for name, cell in CELLS.items() if issubclass(cell, LinearRNNCell)]
)


def chain(decay: np.ndarray, update: np.ndarray, state: np.ndarray, *, reverse: bool) -> np.ndarray:
    """The recurrence as it is defined, step by step."""
    states = np.empty_like(update)
    for t in reversed(range(len(decay))) if reverse else range(len(decay)):
        states[t] = state = decay[t] * state + update[t]
    return states


@each_direction
@pytest.mark.parametrize(
    "lengths",
    [
        pytest.param([*range(1, 18), 64, 127, 240, 257], id="some"),
        pytest.param(range(1, 301), id="all", marks=pytest.mark.thorough),
    ],
)
def test_scan_equals_the_chain_for_every_length(
    lengths: Iterable[int], reverse: bool, rng: np.random.Generator
) -> None:
    for steps in lengths:
        decay = rng.uniform(size=(steps, BATCH, UNITS))
        update = rng.normal(size=(steps, BATCH, UNITS))
        state = rng.normal(size=(BATCH, UNITS))
        states = linear_scan(
            tf.constant(decay), tf.constant(update), state=tf.constant(state), reverse=reverse
        )
        expected = chain(decay, update, state, reverse=reverse)
        np.testing.assert_allclose(states, expected, rtol=1e-12, atol=1e-12, err_msg=f"{steps=}")


@pytest.mark.parametrize("reverse", [pytest.param(False, marks=pytest.mark.thorough), True])
def test_scan_of_unknown_length_equals_the_chain(reverse: bool, rng: np.random.Generator) -> None:
    spec = tf.TensorSpec([None, None, UNITS], tf.float64)
    state_spec = tf.TensorSpec([None, UNITS], tf.float64)

    @tf.function(input_signature=[spec, spec, state_spec])
    def graph(decay: tf.Tensor, update: tf.Tensor, state: tf.Tensor) -> tf.Tensor:
        return linear_scan(decay, update, state=state, reverse=reverse)

    for steps in LENGTHS:
        decay = rng.uniform(size=(steps, BATCH, UNITS))
        update = rng.normal(size=(steps, BATCH, UNITS))
        state = rng.normal(size=(BATCH, UNITS))
        expected = chain(decay, update, state, reverse=reverse)
        np.testing.assert_allclose(graph(decay, update, state), expected, rtol=1e-12, atol=1e-12)


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


@each_direction
@pytest.mark.parametrize(
    ("cell_name", "steps"),
    [
        ("mingru", 1),
        ("minlstm", 257),
        *(
            pytest.param(name, steps, marks=pytest.mark.thorough)
            for name in ("mingru", "minlstm")
            for steps in (2, 112, 240)
        ),
    ],
)
def test_masked_gradients_equal_those_of_the_loop(
    cell_name: str, steps: int, reverse: bool, rng: np.random.Generator
) -> None:
    assert_equal_to_the_loop(cell_name, steps, rng, reverse=reverse, jit=False)


@each_cell
def test_masked_gradients_in_bfloat16_equal_those_of_the_loop(
    cell_name: str, rng: np.random.Generator
) -> None:
    assert_equal_to_the_loop(cell_name, 112, rng, reverse=False, jit=False, dtype="mixed_bfloat16")


@pytest.mark.parametrize(
    ("cell_name", "steps", "reverse"),
    [("mingru", 1, False), ("mingru", 112, True), ("minlstm", 7, True)],
)
def test_compiled_gradients_equal_those_of_the_loop(
    cell_name: str, steps: int, reverse: bool, rng: np.random.Generator
) -> None:
    assert_equal_to_the_loop(cell_name, steps, rng, reverse=reverse, jit=True)


@pytest.mark.slow
@each_cell
@each_direction
def test_compiled_gradients_equal_those_of_the_loop_at_every_length(
    cell_name: str, reverse: bool, rng: np.random.Generator
) -> None:
    for steps in range(1, 301):
        assert_equal_to_the_loop(cell_name, steps, rng, reverse=reverse, jit=True)


@pytest.mark.slow
@each_cell
def test_compiled_gradients_in_bfloat16_equal_those_of_the_loop(
    cell_name: str, rng: np.random.Generator
) -> None:
    for steps in (1, 64, 240, 256):
        assert_equal_to_the_loop(
            cell_name, steps, rng, reverse=True, jit=True, dtype="mixed_bfloat16"
        )


def operations(steps: int | None) -> list[str]:
    """The operations of a training graph over a number of steps."""
    cell = built("mingru", np.random.default_rng(0), dtype="float32")
    inputs = tf.TensorSpec([steps, BATCH, INPUTS], tf.float32)
    mask = tf.TensorSpec([steps, BATCH], tf.bool)
    run = functools.partial(results_and_gradients, cell, kernel="scan", reverse=False)
    graph = tf.function(run).get_concrete_function(inputs, mask).graph.as_graph_def()
    return [
        node.op
        for nodes in (graph.node, *(function.node_def for function in graph.library.function))
        for node in nodes
    ]


@pytest.mark.parametrize("steps", [240, None])
def test_the_graph_has_no_loop(steps: int | None) -> None:
    names = set(operations(steps))
    assert not [name for name in names if name.endswith("While") or name.startswith("TensorList")]
    assert not names & {"If", "StatelessIf"}


def test_the_graph_grows_by_a_few_operations_with_each_doubling_of_the_length() -> None:
    costly = {"AddV2", "Mul", "Pack", "Unpack", "ConcatV2", "StridedSlice", "PadV2", "Select"}
    launches = [sum(name in costly for name in operations(steps)) for steps in (64, 128, 256)]
    assert launches[1] - launches[0] == launches[2] - launches[1]
    assert launches[2] - launches[1] <= 24
    assert launches[2] <= 24 * math.log2(256)
