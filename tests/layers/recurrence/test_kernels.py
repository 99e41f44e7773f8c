"""Every kernel against the written-out loop: outputs, states and gradients of everything."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from cases import (
    BATCH,
    INPUTS,
    MASKS,
    UNITS,
    built_cell,
    by_family,
    each_family,
    few,
    make_cell,
)
from kernel_cases import (
    assert_relatively_close,
    cell_and_inputs,
    results_and_gradients,
    through,
    time_major,
)

from textrnn.config import choices
from textrnn.errors import ConfigError
from textrnn.layers.cells import (
    CELLS,
    LinearRNNCell,
    LSTMCell,
    NonlinearRNNCell,
    RNNCell,
    States,
)
from textrnn.layers.recurrence import KERNELS as KERNEL_NAMES
from textrnn.layers.recurrence import (
    Recurrence,
    choose_kernel,
    recur,
    scan,
)
from textrnn.layers.recurrence.bptt import CHUNK_STEPS

CHUNK = 2
KERNELS = [
    pytest.param(name, kernel, id=f"{name}-{kernel}")
    for name, cell in CELLS.items()
    for kernel in ("chunked", "scan")
    if kernel != "scan" or issubclass(cell, LinearRNNCell)
]
each_kernel = pytest.mark.parametrize(("cell_name", "kernel"), KERNELS)
each_kernel_by_family = pytest.mark.parametrize(
    ("cell_name", "kernel"),
    [
        pytest.param(*kernel.values, id=kernel.id, marks=getattr(cell, "marks", ()))
        for kernel in KERNELS
        for cell in by_family([str(kernel.values[0])])
    ],
)
each_direction = pytest.mark.parametrize("reverse", [False, True])


@each_direction
@each_kernel
@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
def test_kernels_equal_the_unrolled_loop(
    cell_name: str,
    kernel: str,
    mask: np.ndarray | None,
    reverse: bool,
    rng: np.random.Generator,
) -> None:
    mask = time_major(mask)
    cell, inputs, states = cell_and_inputs(cell_name, rng)
    plain = through(cell, mask, kernel="unroll", reverse=reverse)
    fast = through(cell, mask, kernel=kernel, reverse=reverse, chunk_steps=CHUNK)
    assert_relatively_close(
        results_and_gradients(fast, cell, inputs, states),
        results_and_gradients(plain, cell, inputs, states),
        1e-10,
    )


@each_kernel
def test_kernels_equal_the_unrolled_loop_in_single_precision(
    cell_name: str, kernel: str, rng: np.random.Generator
) -> None:
    mask = time_major(MASKS["partial"])
    cell, inputs, states = cell_and_inputs(cell_name, rng, dtype="float32")
    plain, fast = (through(cell, mask, kernel=name) for name in ("unroll", kernel))
    assert_relatively_close(
        results_and_gradients(fast, cell, inputs, states),
        results_and_gradients(plain, cell, inputs, states),
        1e-5,
    )


@pytest.mark.thorough
@each_direction
@each_kernel_by_family
@pytest.mark.parametrize("steps", [pytest.param(1, marks=pytest.mark.thorough), 2 * CHUNK + 1])
def test_any_number_of_steps_and_rows_in_one_graph(
    cell_name: str,
    kernel: str,
    steps: int,
    reverse: bool,
    rng: np.random.Generator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scan, "UNKNOWN_LEVELS", 4)  # Enough for 31 steps, in a small graph.
    cell, inputs, states = cell_and_inputs(cell_name, rng, steps=steps)
    mask = tf.constant(rng.random((steps, BATCH)) < 0.7)
    state = tf.TensorSpec([None, UNITS], tf.float64)

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None, INPUTS], tf.float64),
            (state,) * len(states),
            tf.TensorSpec([None, None], tf.bool),
        ]
    )
    def graph(inputs: tf.Tensor, states: States, mask: tf.Tensor) -> list[tf.Tensor]:
        run = through(cell, mask, kernel=kernel, reverse=reverse, chunk_steps=CHUNK)
        return results_and_gradients(run, cell, inputs, states)

    plain = through(cell, mask, kernel="unroll", reverse=reverse)
    expected = results_and_gradients(plain, cell, inputs, states)
    assert_relatively_close(graph(inputs, states, mask), expected, 1e-10)


@pytest.mark.thorough
@each_kernel_by_family
def test_compiled_kernels_equal_the_unrolled_loop(
    cell_name: str, kernel: str, rng: np.random.Generator
) -> None:
    cell, inputs, states = cell_and_inputs(cell_name, rng)
    mask = time_major(MASKS["partial"])
    run = through(cell, mask, kernel=kernel, chunk_steps=CHUNK)
    compiled = tf.function(functools.partial(results_and_gradients, run, cell), jit_compile=True)
    plain = through(cell, mask, kernel="unroll")
    expected = results_and_gradients(plain, cell, inputs, states)
    assert_relatively_close(compiled(inputs, states), expected, 1e-10)


@each_kernel
def test_dropped_units_are_dropped_in_the_gradient_too(
    cell_name: str, kernel: str, rng: np.random.Generator
) -> None:
    cell, inputs, states = cell_and_inputs(cell_name, rng)
    dropout_mask = tf.constant(2.0 * rng.integers(0, 2, (BATCH, UNITS)))
    plain, fast = (
        through(cell, kernel=name, dropout_mask=dropout_mask, chunk_steps=CHUNK)
        for name in ("unroll", kernel)
    )
    assert_relatively_close(
        results_and_gradients(fast, cell, inputs, states),
        results_and_gradients(plain, cell, inputs, states),
        1e-10,
    )


@pytest.mark.parametrize("mask_name", ["none", "partial"])
def test_a_gradient_is_right_without_saved_activations(
    cell_name: str, mask_name: str, rng: np.random.Generator
) -> None:
    cell, inputs, states = cell_and_inputs(cell_name, rng)
    mask = time_major(MASKS[mask_name])
    saved, not_saved = (
        results_and_gradients(
            through(cell, mask, kernel="chunked", save_activations=save), cell, inputs, states
        )
        for save in (True, False)
    )
    assert_relatively_close(not_saved, saved, 1e-12)


@pytest.mark.parametrize(
    "cell_name", [n for n, cell in CELLS.items() if issubclass(cell, NonlinearRNNCell)]
)
def test_derived_gradients_equal_automatic_ones(cell_name: str, rng: np.random.Generator) -> None:
    base: Any = CELLS[cell_name]

    class Plain(base):
        """The cell without the gradient that was derived for it."""

        def combine(self, gates: tf.Tensor, recurrent: tf.Tensor, states: States) -> Any:
            new_states, _ = super().combine(gates, recurrent, states)
            return new_states, (gates, recurrent)

        combine_gradient = NonlinearRNNCell.combine_gradient

    derived, inputs, states = cell_and_inputs(cell_name, rng)
    plain = Plain(UNITS, dtype="float64")
    plain.build((None, INPUTS))
    plain.set_weights(derived.get_weights())
    assert_relatively_close(
        results_and_gradients(through(derived, kernel="chunked"), derived, inputs, states),
        results_and_gradients(through(plain, kernel="chunked"), plain, inputs, states),
        1e-12,
    )


@functools.cache
def over_thousands_of_steps(cell_name: str, keeping: str) -> tuple[Callable[[str], Any], list[Any]]:
    """Functions for the results and gradients over 4096 steps, by a kernel and by the loop."""
    rng = np.random.default_rng(0)
    steps = 4096
    cell = built_cell(cell_name, dtype="float32", units=2)
    bias = 8.0 if (keeping == "forgets") == (cell_name == "mingru") else -8.0
    cell.set_weights([rng.normal(size=w.shape) for w in cell.get_weights()])
    cell.bias.assign(tf.concat([[bias] * 2, tf.zeros([cell.bias.shape[0] - 2])], axis=0))
    inputs = tf.constant(rng.normal(size=(steps, 2, INPUTS)), tf.float32)
    mask = tf.constant(rng.random((steps, 2)) < 0.9)
    states = (tf.constant(rng.normal(size=(2, 2)), tf.float32),)

    def results(kernel: str) -> Any:
        run = through(cell, mask, kernel=kernel)
        return tf.function(functools.partial(results_and_gradients, run, cell))(inputs, states)

    return results, results("unroll")


@pytest.mark.thorough
@pytest.mark.parametrize(
    "keeping", [pytest.param("forgets", marks=pytest.mark.thorough), "remembers"]
)
@pytest.mark.parametrize("kernel", few(["scan", "chunked"]))
@pytest.mark.parametrize("cell_name", by_family(["mingru", "minlstm"]))
def test_a_scan_is_exact_over_thousands_of_steps(cell_name: str, kernel: str, keeping: str) -> None:
    results, plain = over_thousands_of_steps(cell_name, keeping)
    fast = results(kernel)
    assert all(np.isfinite(result).all() for result in fast)
    np.testing.assert_allclose(fast[0], plain[0], atol=1e-5)
    assert_relatively_close(fast, plain, 1e-5)


@each_kernel
def test_a_second_derivative_is_refused_by_the_fast_kernels_alone(
    cell_name: str, kernel: str, rng: np.random.Generator
) -> None:
    cell, inputs, states = cell_and_inputs(cell_name, rng)

    def second_derivative(kernel: str) -> tf.Tensor:
        with tf.GradientTape() as outer:
            outer.watch(inputs)
            with tf.GradientTape() as inner:
                inner.watch(inputs)
                outputs, _ = through(cell, kernel=kernel)(inputs, states)
            gradient = inner.gradient(outputs, inputs)
        return outer.gradient(gradient, inputs)

    assert np.abs(second_derivative("unroll")).max() > 0
    with pytest.raises(LookupError, match='kernel="unroll"'):
        second_derivative(kernel)


def concrete_training(cell: RNNCell, *, steps: int, kernel: str = "auto") -> Any:
    """Returns the graph of a forward and a backward pass over some steps."""

    @tf.function(input_signature=[tf.TensorSpec([steps, BATCH, INPUTS], tf.float64)])
    def train(inputs: tf.Tensor) -> Any:
        with tf.GradientTape() as tape:
            states = tuple(cell.get_initial_state(BATCH))
            outputs, _ = recur(Recurrence(cell, cell.project(inputs), states), kernel=kernel)
            loss = tf.reduce_sum(outputs)
        return tape.gradient(loss, [w.value for w in cell.trainable_weights])

    return train.get_concrete_function()


def nodes(function: Any) -> list[Any]:
    """All nodes of a concrete function's graph, those of the functions it calls included."""
    graph = function.graph.as_graph_def(add_shapes=False)
    return [*graph.node, *(node for f in graph.library.function for node in f.node_def)]


@each_family
@pytest.mark.parametrize(
    "kernel",
    ["auto", pytest.param("unroll", marks=pytest.mark.thorough)],
)
def test_graph_size_does_not_grow_with_time(cell_name: str, kernel: str) -> None:
    cell = built_cell(cell_name)
    short, long = (
        len(nodes(concrete_training(cell, steps=chunks * 16 + 1, kernel=kernel)))
        for chunks in (20, 200)
    )
    assert abs(long - short) <= 10
    assert long < 3000


@pytest.mark.parametrize("cell_name", ["simple", "gru", "lstm"])
def test_each_weight_gradient_is_one_product(cell_name: str) -> None:
    """Products that sum over time have their left side transposed."""
    function = concrete_training(built_cell(cell_name), steps=4 * CHUNK_STEPS)
    products = [n for n in nodes(function) if n.op == "MatMul" and n.attr["transpose_a"].b]
    assert len(products) == 2
    graph = function.graph.as_graph_def()
    assert sum(n.op == "MatMul" and n.attr["transpose_a"].b for n in graph.node) == 2


class OwnStep(RNNCell):
    """A cell that says no more of its step than what it is."""

    gate_count = 1

    def step(self, gates: tf.Tensor, states: States, *, dropout_mask: Any = None) -> Any:
        return gates + states[0], (gates + states[0],)


class OwnLSTM(LSTMCell):
    """A cell of the package but for its step."""

    step = OwnStep.step


def test_the_settings_know_the_same_kernels() -> None:
    assert choices.KERNELS == KERNEL_NAMES


def test_a_kernel_is_chosen_by_the_cell() -> None:
    for name in CELLS:
        assert choose_kernel(make_cell(name)).name == "chunked"
        assert choose_kernel(make_cell(name), "unroll") == ("unroll", "asked for")
    for cell in (OwnStep(2), OwnLSTM(2)):
        chosen = choose_kernel(cell)
        assert chosen.name == "unroll"
        assert type(cell).__name__ in chosen.reason


def test_linear_cells_are_scanned_in_parallel_on_an_accelerator(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("textrnn.layers.recurrence.kernels.has_accelerator", lambda: True)
    assert choose_kernel(make_cell("mingru")).name == "scan"
    assert choose_kernel(make_cell("lstm")).name == "chunked"


@pytest.mark.parametrize(
    ("cell", "kernel", "message"),
    [
        (make_cell("lstm"), "scan", "scan needs a cell that is linear in its state, and LSTMCell"),
        (OwnStep(2), "chunked", "OwnStep is neither; choose unroll or auto"),
        (make_cell("gru"), "fast", "one of auto, unroll, chunked, scan, cudnn, got 'fast'"),
    ],
)
def test_a_kernel_that_does_not_suit_is_refused(cell: RNNCell, kernel: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        choose_kernel(cell, kernel)
