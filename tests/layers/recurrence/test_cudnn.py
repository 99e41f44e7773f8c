"""cuDNN's kernel, with a stand-in for its operation, against the written-out loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from cases import (
    BATCH,
    INPUTS,
    MASKS,
    STEPS,
    UNITS,
    assert_close,
    built_cell,
    make_cell,
    pairwise,
    random_sequence,
    randomise,
)
from cudnn_standin import cudnn_rnn

from textrnn.errors import ConfigError
from textrnn.layers import RNN, Bidirectional, RNNStack
from textrnn.layers.cells import CELLS
from textrnn.layers.recurrence import choose_kernel, compiled
from textrnn.layers.recurrence.cudnn_parameters import cudnn_form

CELL_NAMES = [name for name in CELLS if cudnn_form(built_cell(name)) is not None]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Makes a machine with an NVIDIA GPU of this one; returns the calls of cuDNN."""
    made: list[dict[str, Any]] = []

    def record(**arguments: Any) -> Any:
        made.append(arguments)
        return cudnn_rnn(**arguments)

    monkeypatch.setattr(tf.raw_ops, "CudnnRNNV3", record)
    monkeypatch.setattr("textrnn.layers.recurrence.kernels.has_cudnn", lambda: True)
    return made


def results_and_gradients(layer: Any, sequence: tf.Tensor, states: Any, mask: Any) -> list[Any]:
    with tf.GradientTape() as tape:
        tape.watch([sequence, *states])
        results = layer(sequence, initial_state=list(states), mask=mask)
        total = tf.add_n(
            [tf.reduce_sum(tf.sin((i + 2.0) * part)) for i, part in enumerate(results)]
        )
    weights = [weight.value for weight in layer.trainable_weights]
    return [*results, *tape.gradient(total, [sequence, *states, *weights])]


def assert_equal_to_the_loop(
    make: Callable[[str], Any], rng: np.random.Generator, mask: Any, *, count: int
) -> None:
    """Asserts that a layer with the kernel cudnn gives the results of one with the loop."""
    layers = [make("cudnn"), make("unroll")]
    sequence = tf.constant(random_sequence(rng))
    for layer in layers:
        layer.build(sequence.shape)
    layers[1].set_weights(randomise(layers[0], rng))
    states = [tf.constant(rng.normal(size=(BATCH, UNITS))) for _ in range(count)]
    actual, expected = (results_and_gradients(layer, sequence, states, mask) for layer in layers)
    assert_close(actual, expected)


@pairwise(("cell_name", "mask_name", "reverse"), CELL_NAMES, MASKS, [False, True])
def test_one_direction_equals_the_loop(
    cell_name: str, mask_name: str, reverse: bool, rng: np.random.Generator, calls: list[Any]
) -> None:
    cell = built_cell(cell_name)

    def make(kernel: str) -> RNN:
        return RNN(
            make_cell(cell_name),
            kernel=kernel,
            go_backwards=reverse,
            return_sequences=True,
            return_state=True,
        )

    assert_equal_to_the_loop(make, rng, MASKS[mask_name], count=cell.state_count)
    assert [call["direction"] for call in calls] == ["unidirectional"]


@pytest.mark.parametrize(
    ("cell_name", "mask_name"),
    [
        pytest.param(name, mask, marks=() if fast else pytest.mark.thorough)
        for i, name in enumerate(CELL_NAMES)
        for j, mask in enumerate(MASKS)
        for fast in [j % len(CELL_NAMES) == i]
    ],
)
def test_both_directions_are_one_call_and_equal_the_loop(
    cell_name: str, mask_name: str, rng: np.random.Generator, calls: list[Any]
) -> None:
    cell = built_cell(cell_name)

    def make(kernel: str) -> Bidirectional:
        layer = RNN(
            make_cell(cell_name),
            kernel=kernel,
            return_sequences=True,
            return_state=True,
        )
        return Bidirectional(layer)

    assert_equal_to_the_loop(make, rng, MASKS[mask_name], count=2 * cell.state_count)
    assert [call["direction"] for call in calls] == ["bidirectional"]


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("settings", "call_count"),
    [
        ({"window": 2, "bidirectional": True}, 4),
        pytest.param({"window": 3}, 2, marks=pytest.mark.thorough),
        pytest.param({"bidirectional": True}, 2, marks=pytest.mark.thorough),
        ({"bidirectional": True, "separate_directions": True}, 3),
        ({"bidirectional": True, "pyramid": True}, 2),
        ({"bidirectional": True, "recompute": 2}, 12),
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "mask_name", [pytest.param("right", marks=pytest.mark.thorough), "partial"]
)
def test_a_stack_equals_the_loop(
    settings: dict[str, Any],
    call_count: int,
    mask_name: str,
    rng: np.random.Generator,
    calls: list[Any],
) -> None:
    stacks = [
        RNNStack(
            [CELLS["lstm"](UNITS, dtype="float64") for _ in range(2)], kernel=kernel, **settings
        )
        for kernel in ("auto", "unroll")
    ]
    sequence, mask = tf.constant(random_sequence(rng)), tf.constant(MASKS[mask_name])
    for stack in stacks:
        stack.build(sequence.shape)
    stacks[1].set_weights(randomise(stacks[0], rng))
    results = []
    for stack in stacks:
        with tf.GradientTape() as tape:
            states, _ = stack(sequence, mask=mask)
            total = tf.reduce_sum(tf.sin(3.0 * states))
        weights = [weight.value for weight in stack.trainable_weights]
        results.append([states, *tape.gradient(total, weights)])
    assert_close(*results)
    assert len(calls) >= call_count


def test_a_stream_equals_the_whole_text(rng: np.random.Generator, calls: list[Any]) -> None:
    stack = RNNStack([make_cell("gru")])
    sequence = tf.constant(random_sequence(rng))
    stack.build(sequence.shape)
    whole, _ = stack(sequence)
    state = stack.start(BATCH, INPUTS)
    pieces = []
    for piece in tf.split(sequence, [2, STEPS - 2], axis=1):
        states, state = stack.advance(state, piece)
        pieces.append(states)
    assert_close(tf.concat(pieces, axis=1), whole)
    assert len(calls) == 3


def test_graphs_of_unknown_shape_equal_the_loop(rng: np.random.Generator, calls: list[Any]) -> None:
    cell = built_cell("lstm")
    randomise(cell, rng)
    auto = RNN(cell, return_sequences=True)
    plain = RNN(cell, return_sequences=True, kernel="unroll")

    # The stand-in writes its steps out, so T is known.
    @tf.function(
        input_signature=[
            tf.TensorSpec([None, STEPS, INPUTS], tf.float64),
            tf.TensorSpec([None, STEPS], tf.bool),
        ]
    )
    def graph(sequence: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        return auto(sequence, mask=mask)

    sequence, mask = tf.constant(random_sequence(rng)), tf.constant(MASKS["partial"])
    assert_close(graph(sequence, mask), plain(sequence, mask=mask))
    assert calls


def test_in_16_bits_the_states_are_computed_in_float32(
    rng: np.random.Generator, calls: list[Any]
) -> None:
    cell = built_cell("gru", dtype="mixed_bfloat16")
    outputs = RNN(cell, return_sequences=True)(tf.constant(random_sequence(rng, dtype="float32")))
    assert outputs.dtype == tf.bfloat16
    assert calls[0]["params"].dtype == calls[0]["input"].dtype == tf.float32


def test_recurrent_dropout_uses_another_kernel(rng: np.random.Generator, calls: list[Any]) -> None:
    layer = RNN(CELLS["lstm"](UNITS, recurrent_dropout=0.5))
    sequence = tf.constant(random_sequence(rng, dtype="float32"))
    layer(sequence, training=True)
    assert not calls
    layer(sequence)
    assert len(calls) == 1


def test_the_choice_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = built_cell("lstm")
    assert choose_kernel(cell).name == "chunked"
    assert choose_kernel(cell, "cudnn") == (
        "chunked",
        "cuDNN cannot run: TensorFlow sees no NVIDIA GPU",
    )
    monkeypatch.setattr("textrnn.layers.recurrence.kernels.has_cudnn", lambda: True)
    assert choose_kernel(cell) == ("cudnn", "there is an NVIDIA GPU")
    assert choose_kernel(cell, dropout=True).reason.endswith("it has no recurrent dropout")
    assert choose_kernel(cell, projects=False).name == "chunked"
    with compiled():
        assert choose_kernel(cell).reason.endswith("XLA compiles this program")
    assert choose_kernel(built_cell("mingru")).name == "chunked"
    with pytest.raises(ConfigError, match="MinGRUCell is none of them; choose auto"):
        choose_kernel(built_cell("mingru"), "cudnn")


@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_lengths_are_computed_on_the_host(
    bidirectional: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A value that the GPU computes would make the host wait."""
    monkeypatch.setattr("textrnn.layers.recurrence.kernels.has_cudnn", lambda: True)
    monkeypatch.setattr("textrnn.layers.recurrence.devices.has_accelerator", lambda: True)
    layer: Any = RNN(make_cell("gru"), return_sequences=True)
    layer = Bidirectional(layer) if bidirectional else layer
    specs = (tf.TensorSpec([1, None, INPUTS], tf.float32), tf.TensorSpec([1, None], tf.bool))

    def outputs(sequence: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        return layer(sequence, mask=mask)

    graph = tf.function(outputs, autograph=False).get_concrete_function(*specs).graph
    calls = [operation for operation in graph.get_operations() if operation.type == "CudnnRNNV3"]
    pending, on_host = [call.inputs[4].op for call in calls], []
    while pending:
        operation = pending.pop()
        if operation.type not in {"Placeholder", "Const"}:
            on_host.append("CPU:0" in operation.device)
            pending += [tensor.op for tensor in operation.inputs]
    assert on_host
    assert all(on_host)
