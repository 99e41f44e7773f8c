"""The layer over a recurrence against the oracle, and against Keras."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import reference
import tensorflow as tf
from cases import (
    BATCH,
    INPUTS,
    KERAS_LAYERS,
    MASKS,
    STEPS,
    UNITS,
    as_list,
    assert_close,
    by_family,
    make_cell,
    make_rnn,
    pairwise,
    random_sequence,
    random_states,
    randomise,
    results_and_gradients,
)

from textrnn.errors import ConfigError
from textrnn.layers.cells import CELLS, GRUCell, LSTMCell, RNNCell, SimpleRNNCell, States
from textrnn.layers.rnn import RNN

pytestmark = pytest.mark.usefixtures("seeded")


each_direction = pytest.mark.parametrize("go_backwards", [False, True])
each_mask = pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)


class OwnOutputCell(RNNCell):
    """A cell whose output is not its state."""

    gate_count = 1

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), name="kernel")
        self.bias = self.add_weight(shape=(self.units,), name="bias")

    def step(
        self, gates: tf.Tensor, states: States, *, dropout_mask: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, States]:
        s = tf.tanh(gates + 0.5 * states[0])
        return 1.0 + 2.0 * s, (s,)


# Against the oracle.


@pairwise(("cell_name", "mask_name", "go_backwards"), CELLS, MASKS, [False, True])
def test_outputs_and_states_equal_the_oracle(
    cell_name: str, mask_name: str, go_backwards: bool, rng: np.random.Generator
) -> None:
    mask = MASKS[mask_name]
    layer = make_rnn(cell_name, go_backwards=go_backwards)
    weights = randomise(layer, rng)
    sequence, start = random_sequence(rng), random_states(layer.cell, rng)
    outputs, *states = layer(sequence, initial_state=start, mask=mask)
    expected, expected_states = reference.recur(
        reference.STEPS[cell_name], sequence, start, weights, mask=mask, reverse=go_backwards
    )
    assert_close(outputs[:, ::-1] if go_backwards else outputs, expected)
    assert_close(states, expected_states)


@pairwise(
    ("cell_name", "mask_name", "go_backwards"), CELLS, ["none", "left", "partial"], [False, True]
)
def test_gradients_equal_finite_differences(
    cell_name: str, mask_name: str, go_backwards: bool, rng: np.random.Generator
) -> None:
    layer = make_rnn(cell_name, go_backwards=go_backwards, cell={"units": 2})
    weights = randomise(layer, rng)
    sequence, start = random_sequence(rng)[1:, :4], random_states(layer.cell, rng)
    start = [state[1:] for state in start]
    mask = None if MASKS[mask_name] is None else MASKS[mask_name][1:, :4]
    probes = [rng.normal(size=(2, 4, 2)), *(rng.normal(size=(2, 2)) for _ in start)]

    def loss(arrays: list[np.ndarray]) -> float:
        inputs, *arrays = arrays
        outputs, states = reference.recur(
            reference.STEPS[cell_name],
            inputs,
            arrays[: len(start)],
            arrays[len(start) :],
            mask=mask,
            reverse=go_backwards,
        )
        results = zip(probes, [outputs, *states], strict=True)
        return sum(float(np.sum(probe * result)) for probe, result in results)

    inputs = [tf.constant(array) for array in (sequence, *start)]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs, *states = layer(inputs[0], initial_state=inputs[1:], mask=mask)
        outputs = outputs[:, ::-1] if go_backwards else outputs
        results = zip(probes, [outputs, *states], strict=True)
        total = tf.add_n([tf.reduce_sum(probe * result) for probe, result in results])
    sources = [*inputs, *(weight.value for weight in layer.trainable_weights)]
    actual = tape.gradient(total, sources, unconnected_gradients="zero")
    assert_close(actual, reference.gradients(loss, [sequence, *start, *weights]), atol=1e-7)


@pairwise(("window", "mask_name", "go_backwards"), [2, 3], MASKS, [False, True])
def test_window_equals_the_oracle(
    window: int, mask_name: str, go_backwards: bool, rng: np.random.Generator
) -> None:
    mask = MASKS[mask_name]
    layer = make_rnn("mingru", window=window, go_backwards=go_backwards)
    assert layer.cell.kernel.shape == (window * INPUTS, 2 * UNITS)
    weights, sequence, start = randomise(layer, rng), random_sequence(rng), np.ones((BATCH, UNITS))
    outputs, state = layer(sequence, initial_state=start, mask=mask)
    expected, (expected_state,) = reference.recur(
        reference.mingru,
        sequence,
        [start],
        weights,
        mask=mask,
        reverse=go_backwards,
        window=window,
    )
    assert_close(outputs[:, ::-1] if go_backwards else outputs, expected)
    assert_close(state, expected_state)


@each_direction
def test_window_is_a_concatenation_of_neighbours(
    go_backwards: bool, rng: np.random.Generator
) -> None:
    layer = make_rnn("gru", window=3, go_backwards=go_backwards)
    plain = RNN(layer.cell, return_sequences=True, return_state=True, go_backwards=go_backwards)
    sequence = random_sequence(rng)
    gap = np.zeros((BATCH, 2, INPUTS))
    padded = np.concatenate([sequence, gap] if go_backwards else [gap, sequence], axis=1)
    places = (0, 1, 2) if go_backwards else (2, 1, 0)
    windows = np.concatenate([padded[:, place : place + STEPS] for place in places], axis=-1)
    assert_close(layer(sequence), plain(windows))


def test_a_window_of_one_is_the_plain_layer(cell_name: str, rng: np.random.Generator) -> None:
    layer, sequence = make_rnn(cell_name, window=1), random_sequence(rng)
    plain = RNN(layer.cell, return_sequences=True, return_state=True)
    assert_close(layer(sequence), plain(sequence))


@each_direction
def test_windowed_padding_counts_as_zero(go_backwards: bool, rng: np.random.Generator) -> None:
    layer = make_rnn("lstm", window=3, go_backwards=go_backwards)
    sequence, mask = random_sequence(rng), MASKS["partial"]
    garbage = np.where(mask[:, :, np.newaxis], sequence, 1e3)
    assert_close(layer(garbage, mask=mask), layer(sequence, mask=mask))


@each_direction
@pytest.mark.parametrize("mask_name", ["left", "right", "empty", "partial"])
def test_a_cell_whose_output_is_not_its_state_carries_both_over(
    mask_name: str, go_backwards: bool, rng: np.random.Generator
) -> None:
    layer = RNN(
        OwnOutputCell(UNITS, dtype="float64"),
        return_sequences=True,
        return_state=True,
        go_backwards=go_backwards,
    )
    sequence, mask = random_sequence(rng), MASKS[mask_name]
    start = rng.normal(size=(BATCH, UNITS))
    layer.build(sequence.shape)
    kernel, bias = randomise(layer, rng)
    outputs, state = layer(sequence, initial_state=[start], mask=mask)
    outputs = outputs[:, ::-1] if go_backwards else outputs
    for row in range(BATCH):
        s, output = start[row], np.zeros(UNITS)
        for t in reversed(range(STEPS)) if go_backwards else range(STEPS):
            if mask[row, t]:
                s = np.tanh(sequence[row, t] @ kernel + bias + 0.5 * s)
                output = 1.0 + 2.0 * s
            assert_close(outputs[row, t], output)
        assert_close(state[row], s)


# What is returned.


@pairwise(
    ("cell_name", "mask_name", "go_backwards"),
    by_family(CELLS),
    ["none", "right", "left", "partial", "empty"],
    [False, True],
)
def test_the_output_is_the_last_step_read(
    cell_name: str, mask_name: str, go_backwards: bool, rng: np.random.Generator
) -> None:
    whole = make_rnn(cell_name, go_backwards=go_backwards)
    randomise(whole, rng)
    last = RNN(whole.cell, go_backwards=go_backwards)
    sequence, mask = random_sequence(rng), MASKS[mask_name]
    outputs, state, *_ = whole(sequence, mask=mask)
    assert_close(last(sequence, mask=mask), outputs[:, -1])
    assert_close(last(sequence, mask=mask), state)


def test_no_initial_state_is_zeros(cell_name: str, rng: np.random.Generator) -> None:
    layer, sequence = make_rnn(cell_name), random_sequence(rng)
    zeros = [np.zeros((BATCH, UNITS))] * layer.cell.state_count
    assert_close(layer(sequence), layer(sequence, initial_state=zeros))


def test_final_states_continue_a_sequence(cell_name: str, rng: np.random.Generator) -> None:
    layer, sequence = make_rnn(cell_name), random_sequence(rng)
    outputs, *states = layer(sequence)
    first, *between = layer(sequence[:, :2])
    second, *finals = layer(sequence[:, 2:], initial_state=between)
    assert_close([tf.concat([first, second], axis=1), *finals], [outputs, *states])


@pytest.mark.parametrize("return_state", [False, True])
def test_masks_of_outputs_are_in_the_order_of_reading(return_state: bool) -> None:
    mask = tf.constant(MASKS["right"])
    for layer, expected in (
        (RNN(make_cell("lstm"), return_state=return_state), None),
        (RNN(make_cell("lstm"), return_sequences=True, return_state=return_state), mask),
        (
            RNN(
                make_cell("lstm"),
                return_sequences=True,
                go_backwards=True,
                return_state=return_state,
            ),
            mask[:, ::-1],
        ),
    ):
        first, *other_texts = as_list(layer.compute_mask(None, mask))
        assert other_texts == ([None, None] if return_state else [])
        assert first is None if expected is None else np.array_equal(first, expected)


def test_padding_after_does_not_change_the_states(cell_name: str, rng: np.random.Generator) -> None:
    layer, sequence = make_rnn(cell_name), random_sequence(rng)
    padded = np.pad(sequence, [(0, 0), (3, 4), (0, 0)], constant_values=9.0)
    mask = np.pad(np.ones((BATCH, STEPS), bool), [(0, 0), (3, 4)])
    assert_close(layer(padded, mask=mask)[1:], layer(sequence)[1:])


# Against Keras.


@each_direction
@each_mask
@pytest.mark.parametrize("name", by_family(KERAS_LAYERS))
def test_equals_the_keras_layer_with_its_weights(
    name: str, mask: np.ndarray | None, go_backwards: bool, rng: np.random.Generator
) -> None:
    settings = {
        "return_sequences": True,
        "return_state": True,
        "go_backwards": go_backwards,
        "dtype": "float64",
    }
    theirs = KERAS_LAYERS[name](UNITS, **settings)
    theirs.build((BATCH, STEPS, INPUTS))
    ours = make_rnn(name, go_backwards=go_backwards)
    sequence = random_sequence(rng)
    for source, target in ((ours, theirs), (theirs, ours)):
        randomise(source, rng)
        target.set_weights(source.get_weights())
        expected = results_and_gradients(
            theirs, sequence, [w.value for w in theirs.trainable_weights], mask=mask
        )
        actual = results_and_gradients(
            ours, sequence, [w.value for w in ours.trainable_weights], mask=mask
        )
        assert_close(actual, expected, atol=1e-9)


@pairwise(
    ("cell_name", "mask_name", "go_backwards"),
    by_family(CELLS),
    ["none", "right", "left", "empty"],
    [False, True],
)
def test_every_cell_runs_inside_the_keras_loop(
    cell_name: str, mask_name: str, go_backwards: bool, rng: np.random.Generator
) -> None:
    ours = make_rnn(cell_name, go_backwards=go_backwards)
    randomise(ours, rng)
    theirs = keras.layers.RNN(
        ours.cell,
        return_sequences=True,
        return_state=True,
        go_backwards=go_backwards,
        dtype="float64",
    )
    sequence, weights = random_sequence(rng), [w.value for w in ours.trainable_weights]
    expected = results_and_gradients(theirs, sequence, weights, mask=MASKS[mask_name])
    actual = results_and_gradients(ours, sequence, weights, mask=MASKS[mask_name])
    assert_close(actual, expected, atol=1e-9)


# Errors.


@pytest.mark.parametrize("cell", [keras.layers.LSTMCell(2), "lstm", None, LSTMCell])
def test_only_our_cells_are_taken(cell: Any) -> None:
    with pytest.raises(ConfigError, match="`cell` must be a textrnn cell such as LSTMCell"):
        RNN(cell)


@pytest.mark.parametrize("window", [0, -1, True, 1.5, "2", None])
def test_window_must_be_a_positive_integer(window: Any) -> None:
    with pytest.raises(ConfigError, match="`window` must be a positive integer, got"):
        RNN(GRUCell(2), window=window)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"chunk_steps": 0}, "`chunk_steps` must be a positive integer, got 0"),
        ({"batch_parts": 0}, "`batch_parts` must be a positive integer, got 0"),
        ({"recompute": -1}, "`recompute` must be an integer of at least 0, got -1"),
        ({"kernel": "scan"}, "choose chunked or auto"),
    ],
)
def test_settings_of_the_computation_are_checked(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        RNN(GRUCell(2), **setting)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_initial_state_must_hold_as_many_tensors_as_the_cell(count: int) -> None:
    layer, state = make_rnn("lstm"), np.zeros((BATCH, UNITS))
    with pytest.raises(ConfigError, match=f"must hold 2 tensors for LSTMCell, got {count}"):
        layer(np.zeros((BATCH, STEPS, INPUTS)), initial_state=[state] * count)


def test_a_state_of_the_wrong_size_is_refused() -> None:
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match="not compatible"):
        make_rnn("gru")(np.zeros((BATCH, STEPS, INPUTS)), initial_state=[np.zeros((BATCH, 7))])


@pytest.mark.parametrize("shape", [(BATCH, INPUTS), (BATCH, STEPS, None)])
def test_a_sequence_has_time_and_known_units(shape: tuple[int | None, ...]) -> None:
    with pytest.raises(ConfigError, match="expected a sequence"):
        RNN(SimpleRNNCell(2)).build(shape)
