"""The scan of whole tensors, at every length, in both directions, compiled or not."""

from __future__ import annotations

import functools
import math
import subprocess
import sys
from collections.abc import Iterable

import numpy as np
import pytest
import scan_lengths
import tensorflow as tf
from scan_lengths import (
    BATCH,
    INPUTS,
    UNITS,
    assert_equal_to_the_loop,
    built,
    results_and_gradients,
)

from textrnn.layers.cells import CELLS, LinearRNNCell
from textrnn.layers.recurrence.scan import linear_scan

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
    cell_name: str, reverse: bool
) -> None:
    # A process has room for the memory maps of about 600 programs of XLA.
    command = [sys.executable, scan_lengths.__file__, cell_name, "backward" if reverse else ""]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines()[-1] == "300"


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
