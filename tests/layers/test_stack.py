"""Layers of recurrence against the same layers applied by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import reference
import tensorflow as tf
from cases import (
    BATCH,
    INPUTS,
    MASKS,
    STEPS,
    UNITS,
    assert_close,
    each_family,
    few,
    make_cell,
    random_sequence,
)

from textrnn.errors import ConfigError
from textrnn.layers.bidirectional import Bidirectional
from textrnn.layers.inputs import RNNInputs
from textrnn.layers.pooling import MaxPooling
from textrnn.layers.rnn import RNN
from textrnn.layers.stack import RNNStack, halve_time

pytestmark = pytest.mark.usefixtures("seeded")

each_mask = pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)


def make_stack(*names: str, cell: dict[str, Any] | None = None, **settings: Any) -> RNNStack:
    stack = RNNStack([make_cell(name, **(cell or {})) for name in names], **settings)
    stack.build((None, None, INPUTS))
    return stack


@pytest.mark.parametrize("mask", [MASKS["none"], MASKS["partial"]], ids=["none", "partial"])
@pytest.mark.parametrize("bidirectional", [False, True])
@each_family
def test_one_layer_is_that_layer(
    cell_name: str, bidirectional: bool, mask: np.ndarray | None, rng: np.random.Generator
) -> None:
    stack = make_stack(cell_name, bidirectional=bidirectional, window=2)
    layer = RNN(stack.cells[0], return_sequences=True, window=2)
    if bidirectional:
        layer = stack.rnns[0]
        assert isinstance(layer, Bidirectional)
    sequence = random_sequence(rng)
    states, states_mask = stack(sequence, mask=mask)
    assert_close(states, layer(sequence, mask=mask))
    assert np.array_equal(states_mask, np.ones((BATCH, STEPS), bool) if mask is None else mask)


@each_mask
def test_each_layer_reads_the_states_below(
    mask: np.ndarray | None, rng: np.random.Generator
) -> None:
    stack = make_stack("gru", "mingru", "lstm")
    sequence = random_sequence(rng)
    expected = sequence
    for cell in stack.cells:
        expected = RNN(cell, return_sequences=True)(expected, mask=mask)
    assert_close(stack(sequence, mask=mask)[0], expected)


def test_residual_adds_the_input_where_sizes_agree(rng: np.random.Generator) -> None:
    stack = make_stack("gru", "gru", residual=True)
    sequence = random_sequence(rng)
    lower = RNN(stack.cells[0], return_sequences=True)(sequence)  # Its input is smaller.
    expected = RNN(stack.cells[1], return_sequences=True)(lower) + lower
    assert_close(stack(sequence)[0], expected)


def test_layer_norm_normalises_each_layers_output(rng: np.random.Generator) -> None:
    stack = make_stack("gru", "lstm", residual=True, layer_norm=True)
    sequence = random_sequence(rng)

    def normalised(states: Any) -> np.ndarray:
        centred = states - np.mean(states, axis=-1, keepdims=True)
        return centred / np.sqrt(np.mean(centred**2, axis=-1, keepdims=True) + 1e-3)

    lower = normalised(RNN(stack.cells[0], return_sequences=True)(sequence))
    upper = normalised(RNN(stack.cells[1], return_sequences=True)(lower) + lower)
    assert_close(stack(sequence)[0], upper)


@each_mask
def test_a_pyramid_joins_neighbours_between_layers(
    mask: np.ndarray | None, rng: np.random.Generator
) -> None:
    stack = make_stack("gru", "lstm", "mingru", pyramid=True)
    sequence = random_sequence(rng)
    states, states_mask = stack(sequence, mask=mask)
    assert states.shape == (BATCH, 2, UNITS)
    steps = np.ones((BATCH, STEPS), bool) if mask is None else mask
    expected = RNN(stack.cells[0], return_sequences=True)(sequence, mask=mask)
    for cell in stack.cells[1:]:
        expected, steps = reference.halve_time(np.asarray(expected), steps)
        expected = RNN(cell, return_sequences=True)(expected, mask=None if mask is None else steps)
    assert_close(states, expected)
    assert np.array_equal(states_mask, steps)


@pytest.mark.parametrize("steps", [1, 2, 4, 5])
@each_mask
def test_halve_time_equals_the_oracle(
    mask: np.ndarray | None, steps: int, rng: np.random.Generator
) -> None:
    states = rng.normal(size=(BATCH, steps, UNITS))
    mask = None if mask is None else tf.constant(mask[:, :steps])
    pairs, pair_mask = halve_time(tf.constant(states), mask)
    everywhere = np.ones(states.shape[:2], bool)
    expected = reference.halve_time(states, everywhere if mask is None else mask.numpy())
    assert_close(pairs, expected[0])
    if mask is None:
        assert pair_mask is None
    else:
        assert pair_mask is not None
        assert np.array_equal(pair_mask, expected[1])


@each_family
@pytest.mark.parametrize("pyramid", [False, True])
def test_padding_after_changes_nothing(
    cell_name: str, pyramid: bool, rng: np.random.Generator
) -> None:
    stack = make_stack(
        cell_name, cell_name, bidirectional=True, window=2, pyramid=pyramid, residual=True
    )
    sequence, mask = random_sequence(rng), np.ones((BATCH, STEPS), bool)
    expected, _ = stack(sequence, mask=mask)
    padded = np.pad(sequence, [(0, 0), (0, 4), (0, 0)], constant_values=9.0)
    states, states_mask = stack(padded, mask=np.pad(mask, [(0, 0), (0, 4)]))
    assert_close(states[:, : expected.shape[1]], expected)
    assert np.all(np.sum(states_mask, axis=1) == expected.shape[1])


@pytest.mark.parametrize("steps", [1, 4, 5])
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_shapes(bidirectional: bool, layers: int, steps: int) -> None:
    stack = make_stack(*["mingru"] * layers, bidirectional=bidirectional, pyramid=True)
    states, mask = stack(np.zeros((BATCH, steps, INPUTS)))
    halved = -(-steps // 2 ** (layers - 1))
    assert stack.state_units == (2 * UNITS if bidirectional else UNITS)
    assert states.shape == (BATCH, halved, stack.state_units)
    assert mask.shape == (BATCH, halved)


def test_dropout_acts_between_layers_in_training(rng: np.random.Generator) -> None:
    sequence = random_sequence(rng)
    first, two = make_stack("gru", dropout=0.5), make_stack("gru", "gru", dropout=0.5)
    assert_close(first(sequence, training=True), first(sequence))
    assert not np.allclose(two(sequence, training=True)[0], two(sequence)[0])
    assert_close(two(sequence, training=False), two(sequence))


def everything(cell_name: str, **cell: Any) -> RNNStack:
    """A stack with all settings other than their defaults."""
    return RNNStack(
        [make_cell(cell_name, **cell) for _ in range(3)],
        bidirectional=True,
        window=2,
        residual=True,
        layer_norm=True,
        pyramid=True,
        dropout=0.25,
        name="reader",
    )


@pytest.mark.parametrize("jit_compile", few([False, True]))
def test_graphs_equal_eager_calls(jit_compile: bool, rng: np.random.Generator) -> None:
    stack = everything("mingru")
    sequence, mask = tf.constant(random_sequence(rng)), tf.constant(MASKS["right"])
    expected = stack(sequence, mask=mask)
    graph = tf.function(lambda sequence, mask: stack(sequence, mask=mask), jit_compile=jit_compile)
    states, states_mask = graph(sequence, mask)
    assert_close(states, expected[0], atol=1e-9)
    assert np.array_equal(states_mask, expected[1])


def test_config_makes_an_equal_stack(cell_name: str) -> None:
    stack = everything(cell_name, recurrent_dropout=0.1)
    again = RNNStack.from_config(stack.get_config())
    assert again.get_config() == stack.get_config()
    assert [type(cell) for cell in again.cells] == [type(cell) for cell in stack.cells]


@pytest.mark.thorough
def test_keras_files_hold_the_whole_stack(rng: np.random.Generator, tmp_path: Path) -> None:
    inputs = keras.Input((None,), dtype="int32")
    vectors = keras.layers.Embedding(9, INPUTS, mask_zero=True)(inputs)
    states, mask = everything("lstm", dtype="float32")(vectors)
    model = keras.Model(inputs, MaxPooling()(states, mask=mask))
    for weight in model.weights:
        weight.assign(rng.normal(size=weight.shape))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    ids = np.array([[3, 4, 5, 8, 7], [1, 2, 0, 0, 0]])
    assert_close(loaded(ids), model(ids), atol=0)
    assert_close(model(ids[1:]), model(ids[1:, :2]), atol=1e-6)


def test_a_functional_model_needs_no_mask(rng: np.random.Generator) -> None:
    inputs = keras.Input((None, INPUTS))
    states, mask = make_stack("gru", "gru", cell={"dtype": "float32"}, pyramid=True)(inputs)
    model = keras.Model(inputs, [states, mask])
    states, mask = model(random_sequence(rng, dtype="float32"))
    assert states.shape == (BATCH, 3, UNITS)
    assert np.all(mask)


def test_it_computes_in_the_dtype_of_its_cells(rng: np.random.Generator) -> None:
    stack = everything("gru")
    states, _ = stack(random_sequence(rng, dtype="float32"), training=True)
    assert states.dtype == tf.float64
    assert {weight.dtype for weight in stack.weights} == {"float64"}


def test_mixed_precision_computes_in_bfloat16(
    cell_name: str, set_dtype_policy: Callable[[str], None], rng: np.random.Generator
) -> None:
    set_dtype_policy("mixed_bfloat16")
    stack = everything(cell_name, dtype=None)
    sequence = random_sequence(rng, dtype="float32")
    states, _ = stack(sequence, mask=MASKS["right"], training=True)
    assert states.dtype == tf.bfloat16
    assert np.all(np.isfinite(tf.cast(states, tf.float32)))
    assert {weight.dtype for weight in stack.weights} == {"float32"}


def test_a_stack_needs_a_cell() -> None:
    with pytest.raises(ConfigError, match="`cells` must hold at least one cell, got none"):
        RNNStack([])


@each_mask
def test_towers_are_two_stacks_that_do_not_see_each_other(
    mask: np.ndarray | None, rng: np.random.Generator
) -> None:
    stack = make_stack("gru", "mingru", bidirectional=True, separate_directions=True, window=2)
    sequence = random_sequence(rng)
    states, _ = stack(sequence, mask=mask)
    halves = []
    for side in ("forward_layer", "backward_layer"):
        direction_sequence = tf.constant(sequence)
        for layer in stack.rnns:
            direction_sequence, _ = getattr(layer, side).recur(RNNInputs(direction_sequence, mask))
        halves.append(direction_sequence)
    assert_close(states, tf.concat(halves, axis=-1))


def test_towers_need_two_directions_and_all_steps() -> None:
    with pytest.raises(ConfigError, match="`separate_directions` needs `bidirectional`"):
        make_stack("gru", separate_directions=True)
    with pytest.raises(
        ConfigError, match="`separate_directions` needs `bidirectional`, and no `pyramid`"
    ):
        make_stack("gru", bidirectional=True, separate_directions=True, pyramid=True)
    with pytest.raises(ConfigError, match="expected inputs of even size to split"):
        Bidirectional(RNN(make_cell("gru")), split=True).build((None, None, 3))


@pytest.mark.parametrize("pyramid", [False, True])
def test_walking_up_with_another_way_to_read_gives_the_same(
    pyramid: bool, rng: np.random.Generator
) -> None:
    stack = make_stack("gru", "mingru", residual=True, layer_norm=True, pyramid=pyramid)
    sequence, mask = tf.constant(random_sequence(rng)), tf.constant(MASKS["right"])
    layers = []

    def unrolled(layer: int, inputs: tf.Tensor, mask: tf.Tensor | None) -> tf.Tensor:
        layers.append(layer)
        return RNN(stack.cells[layer], return_sequences=True, kernel="unroll")(inputs, mask=mask)

    assert_close(stack.walk(sequence, mask, unrolled), stack(sequence, mask=mask))
    assert layers == [0, 1]


def test_a_step_of_a_halving_stack_covers_several_tokens() -> None:
    halving, plain = make_stack("gru", "gru", pyramid=True), make_stack("gru", "gru")
    assert [halving.tokens_per_step(layer) for layer in (0, 1)] == [1, 2]
    assert [plain.tokens_per_step(layer) for layer in (0, 1)] == [1, 1]


def test_halving_keeps_known_shapes() -> None:
    @tf.function(input_signature=[tf.TensorSpec([2, 5, 3]), tf.TensorSpec([2, 5], tf.bool)])
    def halve(sequence: tf.Tensor, mask: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return halve_time(sequence, mask)

    sequence, mask = halve.get_concrete_function().outputs
    assert (sequence.shape, mask.shape) == ((2, 3, 6), (2, 3))
