"""Both directions against two runs, and against Keras."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from cases import (
    BATCH,
    INPUTS,
    KERAS_LAYERS,
    MASKS,
    STEPS,
    UNITS,
    assert_close,
    few,
    make_cell,
    make_rnn,
    random_sequence,
    random_states,
    randomise,
)

from textrnn.errors import ConfigError
from textrnn.layers.bidirectional import Bidirectional
from textrnn.layers.cells import GRUCell
from textrnn.layers.rnn import RNN

pytestmark = pytest.mark.usefixtures("seeded")


@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize(
    ("name", "merge_mode"),
    [
        pytest.param("simple", "concat", marks=pytest.mark.thorough),
        ("gru", "concat"),
        pytest.param("lstm", "concat", marks=pytest.mark.thorough),
        ("gru", "sum"),
        ("gru", "ave"),
        ("gru", "mul"),
    ],
)
def test_bidirectional_equals_keras_with_its_weights(
    name: str, merge_mode: str, return_sequences: bool, rng: np.random.Generator
) -> None:
    ours = Bidirectional(
        RNN(make_cell(name), return_sequences=return_sequences), merge_mode=merge_mode
    )
    theirs = keras.layers.Bidirectional(
        KERAS_LAYERS[name](UNITS, return_sequences=return_sequences, dtype="float64"),
        merge_mode=merge_mode,
        dtype="float64",
    )
    sequence, mask = random_sequence(rng), MASKS["right"]
    ours(sequence)
    theirs(sequence)
    theirs.set_weights(randomise(ours, rng))
    assert_close(ours(sequence), theirs(sequence))
    actual, expected = ours(sequence, mask=mask).numpy(), theirs(sequence, mask=mask).numpy()
    if return_sequences:
        # Keras' wrapper, unlike its layers, puts zeros where the mask is False.
        actual, expected = actual[mask], expected[mask]
    assert_close(actual, expected)


@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize("mask_name", few(["partial", "left", "none"]))
def test_bidirectional_joins_a_forward_and_a_backward_run(
    cell_name: str, mask_name: str, return_sequences: bool, rng: np.random.Generator
) -> None:
    layer = Bidirectional(
        RNN(make_cell(cell_name), return_sequences=return_sequences, return_state=True, window=2)
    )
    forward, backward = layer.forward_layer, layer.backward_layer
    sequence, mask = random_sequence(rng), MASKS[mask_name]
    layer.build(sequence.shape)
    randomise(layer, rng)
    forward_start, backward_start = (random_states(rnn.cell, rng) for rnn in (forward, backward))
    before, *forward_states = forward(sequence, initial_state=forward_start, mask=mask)
    after, *backward_states = backward(sequence, initial_state=backward_start, mask=mask)
    after = after[:, ::-1] if return_sequences else after
    actual = layer(sequence, initial_state=forward_start + backward_start, mask=mask)
    joined = np.concatenate([before, after], axis=-1)
    assert_close(actual, [joined, *forward_states, *backward_states])


@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize(
    ("merge_mode", "merge"),
    [
        ("concat", lambda before, after: np.concatenate([before, after], axis=-1)),
        ("sum", lambda before, after: before + after),
        ("ave", lambda before, after: (before + after) / 2),
        ("mul", lambda before, after: before * after),
    ],
)
def test_merge_modes(
    merge_mode: str, merge: Any, return_sequences: bool, rng: np.random.Generator
) -> None:
    layer = Bidirectional(
        RNN(make_cell("gru"), return_sequences=return_sequences), merge_mode=merge_mode
    )
    sequence = random_sequence(rng)
    before, after = layer.forward_layer(sequence), layer.backward_layer(sequence)
    after = after[:, ::-1] if return_sequences else after
    assert_close(layer(sequence), merge(before.numpy(), after.numpy()))


def test_each_direction_has_its_own_weights() -> None:
    layer = Bidirectional(RNN(make_cell("gru"), window=2, name="reader"))
    layer.build((None, None, INPUTS))
    assert len(layer.weights) == 6
    assert not np.array_equal(
        *(rnn.cell.kernel for rnn in (layer.forward_layer, layer.backward_layer))
    )
    assert layer.backward_layer.go_backwards
    assert layer.backward_layer.window == 2
    assert layer.backward_layer.name == "backward_reader"


def test_bidirectional_masks() -> None:
    mask = tf.constant(MASKS["right"])
    layer = Bidirectional(RNN(make_cell("lstm"), return_sequences=True, return_state=True))
    first, *other_layers = layer.compute_mask(None, mask)
    assert np.array_equal(first, mask)
    assert other_layers == [None] * 4
    assert Bidirectional(RNN(make_cell("lstm"))).compute_mask(None, mask) is None


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_bidirectional_initial_state_must_hold_both_cells_states(count: int) -> None:
    layer, state = Bidirectional(make_rnn("lstm")), np.zeros((BATCH, UNITS))
    message = f"must hold 4 tensors, 2 for each direction, got {count}"
    with pytest.raises(ConfigError, match=message):
        layer(np.zeros((BATCH, STEPS, INPUTS)), initial_state=[state] * count)


@pytest.mark.parametrize("layer", [RNN(GRUCell(2), go_backwards=True), GRUCell(2), None])
def test_bidirectional_takes_a_forward_layer(layer: Any) -> None:
    with pytest.raises(ConfigError, match=r"must be a textrnn\.RNN with go_backwards=False"):
        Bidirectional(layer)


def test_merge_modes_are_checked() -> None:
    with pytest.raises(ConfigError, match="must be one of concat, sum, ave, mul, got 'max'"):
        Bidirectional(RNN(GRUCell(2)), merge_mode="max")
