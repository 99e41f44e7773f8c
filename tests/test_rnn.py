"""The layers over a recurrence against the oracle, against Keras, and in every mode."""

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
    as_list,
    assert_close,
    make_cell,
    random_sequence,
    random_states,
    randomise,
)

from textrnn.bidirectional import Bidirectional
from textrnn.cells import GRUCell, LSTMCell, RNNCell, SimpleRNNCell, States
from textrnn.errors import ConfigError
from textrnn.rnn import RNN

pytestmark = pytest.mark.usefixtures("seeded")

KERAS_LAYERS = {
    "simple": keras.layers.SimpleRNN,
    "gru": keras.layers.GRU,
    "lstm": keras.layers.LSTM,
}

each_direction = pytest.mark.parametrize("go_backwards", [False, True])
each_mask = pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)


def make_rnn(cell_name: str, *, cell: dict[str, Any] | None = None, **settings: Any) -> RNN:
    """A layer, with weights, that returns all it can."""
    settings = {"return_sequences": True, "return_state": True, **settings}
    layer = RNN(make_cell(cell_name, **(cell or {})), **settings)
    layer.build((None, None, INPUTS))
    return layer


def results_and_gradients(
    layer: keras.layers.Layer, sequence: tf.Tensor, weights: Any, **arguments: Any
) -> list[Any]:
    """What `layer` returns, and the gradients of a sum of it in `weights` and `sequence`."""
    sequence = tf.convert_to_tensor(sequence)
    with tf.GradientTape() as tape:
        tape.watch(sequence)
        results = as_list(layer(sequence, **arguments))
        total = tf.add_n([tf.reduce_sum(tf.sin(result + 0.5)) for result in results])
    return [results, tape.gradient(total, [*weights, sequence])]


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


@each_direction
@each_mask
def test_outputs_and_states_equal_the_oracle(
    cell_name: str, mask: np.ndarray | None, go_backwards: bool, rng: np.random.Generator
) -> None:
    layer = make_rnn(cell_name, go_backwards=go_backwards)
    weights = randomise(layer, rng)
    sequence, start = random_sequence(rng), random_states(layer.cell, rng)
    outputs, *states = layer(sequence, initial_state=start, mask=mask)
    expected, expected_states = reference.recur(
        reference.STEPS[cell_name], sequence, start, weights, mask=mask, reverse=go_backwards
    )
    assert_close(outputs[:, ::-1] if go_backwards else outputs, expected)
    assert_close(states, expected_states)


@each_direction
@pytest.mark.parametrize("mask", ["none", "left", "partial"])
def test_gradients_equal_finite_differences(
    cell_name: str, mask: str, go_backwards: bool, rng: np.random.Generator
) -> None:
    layer = make_rnn(cell_name, go_backwards=go_backwards, cell={"units": 2})
    weights = randomise(layer, rng)
    sequence, start = random_sequence(rng)[1:, :4], random_states(layer.cell, rng)
    start = [state[1:] for state in start]
    mask = None if MASKS[mask] is None else MASKS[mask][1:, :4]
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


@each_direction
@each_mask
@pytest.mark.parametrize("window", [2, 3])
def test_window_equals_the_oracle(
    window: int, mask: np.ndarray | None, go_backwards: bool, rng: np.random.Generator
) -> None:
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
@pytest.mark.parametrize("mask", ["left", "right", "empty", "partial"])
def test_a_cell_whose_output_is_not_its_state_carries_both_over(
    mask: str, go_backwards: bool, rng: np.random.Generator
) -> None:
    layer = RNN(
        OwnOutputCell(UNITS, dtype="float64"),
        return_sequences=True,
        return_state=True,
        go_backwards=go_backwards,
    )
    sequence, mask = random_sequence(rng), MASKS[mask]
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


@each_direction
@pytest.mark.parametrize("mask", ["none", "right", "left", "partial", "empty"])
def test_the_output_is_the_last_step_read(
    cell_name: str, mask: str, go_backwards: bool, rng: np.random.Generator
) -> None:
    whole = make_rnn(cell_name, go_backwards=go_backwards)
    randomise(whole, rng)
    last = RNN(whole.cell, go_backwards=go_backwards)
    sequence, mask = random_sequence(rng), MASKS[mask]
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
        first, *others = as_list(layer.compute_mask(None, mask))
        assert others == ([None, None] if return_state else [])
        assert first is None if expected is None else np.array_equal(first, expected)


def test_padding_behind_does_not_change_the_states(
    cell_name: str, rng: np.random.Generator
) -> None:
    layer, sequence = make_rnn(cell_name), random_sequence(rng)
    padded = np.pad(sequence, [(0, 0), (3, 4), (0, 0)], constant_values=9.0)
    mask = np.pad(np.ones((BATCH, STEPS), bool), [(0, 0), (3, 4)])
    assert_close(layer(padded, mask=mask)[1:], layer(sequence)[1:])


# Against Keras.


@each_direction
@each_mask
@pytest.mark.parametrize("name", KERAS_LAYERS)
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


@each_direction
@pytest.mark.parametrize("mask", ["none", "right", "left", "empty"])
def test_every_cell_runs_inside_the_keras_loop(
    cell_name: str, mask: str, go_backwards: bool, rng: np.random.Generator
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
    expected = results_and_gradients(theirs, sequence, weights, mask=MASKS[mask])
    actual = results_and_gradients(ours, sequence, weights, mask=MASKS[mask])
    assert_close(actual, expected, atol=1e-9)


@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize(
    ("name", "merge_mode"),
    [
        ("simple", "concat"),
        ("gru", "concat"),
        ("lstm", "concat"),
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


# Both directions.


@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize("mask", ["none", "left", "partial"])
def test_bidirectional_joins_a_forward_and_a_backward_run(
    cell_name: str, mask: str, return_sequences: bool, rng: np.random.Generator
) -> None:
    layer = Bidirectional(
        RNN(make_cell(cell_name), return_sequences=return_sequences, return_state=True, window=2)
    )
    forward, backward = layer.forward_layer, layer.backward_layer
    sequence, mask = random_sequence(rng), MASKS[mask]
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
    first, *others = layer.compute_mask(None, mask)
    assert np.array_equal(first, mask)
    assert others == [None] * 4
    assert Bidirectional(RNN(make_cell("lstm"))).compute_mask(None, mask) is None


# In every mode.


@pytest.mark.parametrize("jit_compile", [False, True])
def test_graphs_equal_eager_calls(
    cell_name: str, jit_compile: bool, rng: np.random.Generator
) -> None:
    layer = make_rnn(cell_name, cell={"dtype": "float32"})
    sequence, mask = random_sequence(rng, dtype="float32")[:, :3], MASKS["partial"][:, :3]
    weights = [weight.value for weight in layer.trainable_weights]

    def run(sequence: tf.Tensor, mask: tf.Tensor) -> Any:
        return results_and_gradients(layer, sequence, weights, mask=mask)

    graph = tf.function(run, jit_compile=jit_compile)
    arguments = tf.constant(sequence), tf.constant(mask)
    assert_close(graph(*arguments), run(*arguments), atol=1e-5)


def test_unknown_time_and_batch_equal_eager_calls(cell_name: str, rng: np.random.Generator) -> None:
    layer = make_rnn(cell_name)
    graph = tf.function(
        lambda sequence, mask: layer(sequence, mask=mask),
        input_signature=[
            tf.TensorSpec([None, None, INPUTS], tf.float64),
            tf.TensorSpec([None, None], tf.bool),
        ],
    )
    for rows, steps in ((1, 1), (2, 7), (3, 40)):
        sequence, mask = rng.normal(size=(rows, steps, INPUTS)), rng.random((rows, steps)) < 0.7
        assert_close(graph(sequence, mask), layer(sequence, mask=mask))


def every_layer_model(cell_name: str) -> keras.Model:
    """A functional model of all layers here, over masked inputs of any length."""
    inputs = keras.Input((None, INPUTS))
    states = keras.layers.Masking()(inputs)
    settings = {"dtype": "float32", "recurrent_dropout": 0.3, "seed": 1}
    states, *finals = RNN(
        make_cell(cell_name, **settings), return_sequences=True, return_state=True, window=2
    )(states)
    states = Bidirectional(
        RNN(make_cell(cell_name, **settings), return_sequences=True), merge_mode="sum"
    )(states, initial_state=finals * 2)
    last = RNN(make_cell(cell_name, **settings), go_backwards=True)(states)
    return keras.Model(inputs, [states, last])


def masked_sequences(rng: np.random.Generator, *, steps: int = STEPS) -> np.ndarray:
    """Sequences whose last step, of zeros, is masked by `keras.layers.Masking`."""
    sequence = rng.normal(size=(BATCH, steps, INPUTS)).astype("float32")
    sequence[:, -1] = 0.0
    return sequence


def test_functional_models_pass_masks_on(cell_name: str, rng: np.random.Generator) -> None:
    model = every_layer_model(cell_name)
    assert [output.shape for output in model.outputs] == [(None, None, UNITS), (None, UNITS)]
    sequence = masked_sequences(rng)
    states, last = model(sequence)
    assert states.shape == (BATCH, STEPS, UNITS)
    assert_close([states[:, :-1], last], model(sequence[:, :-1]), atol=1e-6)


def test_functional_models_predict_any_length(rng: np.random.Generator) -> None:
    model = every_layer_model("gru")
    for steps in (STEPS, 40):
        sequence = masked_sequences(rng, steps=steps)
        assert_close(model.predict(sequence, verbose=0), model(sequence), atol=1e-5)


def test_functional_models_train(rng: np.random.Generator) -> None:
    model = every_layer_model("lstm")
    model.compile("sgd", loss=["mse", "mse"])
    before = model.get_weights()
    sequence = masked_sequences(rng)
    model.fit(sequence, [np.ones((BATCH, STEPS, UNITS)), np.ones((BATCH, UNITS))], verbose=0)
    after = model.get_weights()
    assert all(
        np.any(a != b) and np.all(np.isfinite(a)) for a, b in zip(after, before, strict=True)
    )


def test_keras_files_hold_the_whole_model(
    cell_name: str, rng: np.random.Generator, tmp_path: Path
) -> None:
    model = every_layer_model(cell_name)
    for weight, value in zip(model.weights, map(np.shape, model.get_weights()), strict=True):
        weight.assign(rng.normal(size=value))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    sequence = masked_sequences(rng)
    assert_close(loaded(sequence), model(sequence), atol=0)
    assert [w.shape for w in loaded.weights] == [w.shape for w in model.weights]


def test_saved_models_serve_any_length(rng: np.random.Generator, tmp_path: Path) -> None:
    model = every_layer_model("lstm")
    model.export(tmp_path / "model", verbose=False)
    served = tf.saved_model.load(tmp_path / "model")
    for steps in (1, STEPS, 40):
        sequence = masked_sequences(rng, steps=steps)
        assert_close(served.serve(sequence), model(sequence), atol=1e-6)


def test_config_makes_an_equal_layer(cell_name: str) -> None:
    layer = RNN(
        make_cell(cell_name, recurrent_dropout=0.1, seed=3),
        return_sequences=True,
        return_state=True,
        go_backwards=True,
        window=2,
        name="reader",
    )
    config = layer.get_config()
    again = RNN.from_config(config)
    assert again.get_config() == config
    assert type(again.cell) is type(layer.cell)
    assert again.cell is not layer.cell
    assert (again.window, again.go_backwards, again.compute_dtype) == (2, True, "float64")

    both = Bidirectional(RNN(make_cell(cell_name)), merge_mode="mul", name="readers")
    assert Bidirectional.from_config(both.get_config()).get_config() == both.get_config()


def test_a_built_layer_is_made_again_without_doubled_weights(cell_name: str) -> None:
    layer = Bidirectional(RNN(make_cell(cell_name)))
    layer.build((None, None, INPUTS))
    config = keras.saving.serialize_keras_object(layer)
    again = keras.saving.deserialize_keras_object(config)
    again(np.zeros((BATCH, STEPS, INPUTS)))
    assert [w.shape for w in again.weights] == [w.shape for w in layer.weights]


def test_two_layers_may_share_a_cell(cell_name: str, rng: np.random.Generator) -> None:
    cell = make_cell(cell_name)
    forward, backward = RNN(cell), RNN(cell, go_backwards=True)
    sequence = random_sequence(rng)
    expected = forward(sequence)
    assert_close(backward(sequence[:, ::-1]), expected)
    assert [id(w) for w in forward.weights] == [id(w) for w in backward.weights]


def test_mixed_precision_computes_in_bfloat16_and_keeps_float32_weights(
    cell_name: str, set_dtype_policy: Callable[[str], None], rng: np.random.Generator
) -> None:
    set_dtype_policy("mixed_bfloat16")
    layer = Bidirectional(RNN(type(make_cell(cell_name))(UNITS, recurrent_dropout=0.3), window=2))
    sequence, mask = random_sequence(rng, dtype="float32"), MASKS["partial"]
    with tf.GradientTape() as tape:
        output = layer(sequence, mask=mask, training=True)
        total = tf.reduce_sum(tf.cast(output, tf.float32) ** 2)
    assert output.dtype == tf.bfloat16
    assert {weight.dtype for weight in layer.weights} == {"float32"}
    gradients = tape.gradient(total, [weight.value for weight in layer.trainable_weights])
    assert all(np.all(np.isfinite(gradient)) for gradient in gradients)


def test_the_dtype_is_the_cells(rng: np.random.Generator) -> None:
    layer = Bidirectional(RNN(LSTMCell(UNITS, dtype="float64", recurrent_dropout=0.5)))
    assert layer(random_sequence(rng, dtype="float32"), training=True).dtype == tf.float64
    with pytest.raises(ConfigError, match="`dtype` must be the cell's, float32, got float64"):
        RNN(LSTMCell(UNITS), dtype="float64")


# Recurrent dropout.


def test_the_same_units_are_dropped_at_each_step(
    cell_name: str, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"recurrent_dropout": 0.5, "seed": 0}
    layer = make_rnn(cell_name, cell=settings, kernel="unroll")
    step, masks = layer.cell.step, []

    def recording_step(*arguments: Any, dropout_mask: tf.Tensor, **settings: Any) -> Any:
        masks.append(np.array(dropout_mask))
        return step(*arguments, dropout_mask=dropout_mask, **settings)

    monkeypatch.setattr(layer.cell, "step", recording_step)
    layer(random_sequence(rng), training=True)
    layer(random_sequence(rng), training=True)
    assert len(masks) == 2 * STEPS
    first, second = masks[:STEPS], masks[STEPS:]
    assert all(np.array_equal(mask, first[0]) for mask in first)
    assert all(np.array_equal(mask, second[0]) for mask in second)
    assert not np.array_equal(first[0], second[0])
    assert set(np.unique(masks)) == {0.0, 2.0}


def test_recurrent_dropout_is_off_at_inference_and_seeded_in_training(
    cell_name: str, rng: np.random.Generator
) -> None:
    layers = [make_rnn(cell_name, cell={"recurrent_dropout": 0.5, "seed": s}) for s in (1, 1, 2)]
    weights = randomise(layers[0], rng)
    for layer in layers:
        layer.set_weights(weights)
    sequence = random_sequence(rng)
    plain = make_rnn(cell_name)
    plain.set_weights(weights)
    assert_close(layers[0](sequence), plain(sequence))
    first, same, other = (layer(sequence, training=True)[0] for layer in layers)
    assert_close(first, same, atol=0)
    assert not np.allclose(first, other)
    assert not np.allclose(first, layers[0](sequence, training=True)[0])


@pytest.mark.parametrize("cell_name", KERAS_LAYERS)
def test_to_keras_gives_the_layer_with_the_same_results(
    cell_name: str, rng: np.random.Generator
) -> None:
    layer = make_rnn(cell_name, go_backwards=True)
    randomise(layer, rng)
    twin = layer.to_keras()
    assert type(twin) is KERAS_LAYERS[cell_name]
    sequence = random_sequence(rng)
    assert_close(twin(sequence), layer(sequence))


def test_to_keras_is_refused_where_keras_has_no_such_layer() -> None:
    with pytest.raises(ConfigError, match="got MinGRUCell with 1"):
        make_rnn("mingru").to_keras()
    with pytest.raises(ConfigError, match="got LSTMCell with 2"):
        make_rnn("lstm", window=2).to_keras()
    with pytest.raises(ConfigError, match="build it first"):
        RNN(make_cell("lstm")).to_keras()


def test_parts_of_a_batch_change_nothing(cell_name: str, rng: np.random.Generator) -> None:
    whole, cut = (make_rnn(cell_name, parts=parts) for parts in (1, 2))
    cut.set_weights(randomise(whole, rng))
    start = random_states(whole.cell, rng)

    # Of unknown batch size, so that a part can be empty.
    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None, INPUTS], tf.float64),
            tf.TensorSpec([None, None], tf.bool),
            [tf.TensorSpec([None, UNITS], tf.float64) for _ in start],
        ]
    )
    def graph(sequence: tf.Tensor, mask: tf.Tensor, start: list[tf.Tensor]) -> Any:
        weights = [weight.value for weight in cut.trainable_weights]
        return results_and_gradients(cut, sequence, weights, mask=mask, initial_state=start)

    own = [weight.value for weight in whole.trainable_weights]
    for rows in (1, 2, BATCH):
        sequence, mask = random_sequence(rng)[:rows], MASKS["partial"][:rows]
        now = [state[:rows] for state in start]
        expected = results_and_gradients(whole, sequence, own, mask=mask, initial_state=now)
        assert_close(graph(sequence, mask, now), expected)


def test_recomputing_changes_nothing(cell_name: str, rng: np.random.Generator) -> None:
    plain = make_rnn(cell_name, cell={"recurrent_dropout": 0.5, "seed": 1})
    again = make_rnn(cell_name, cell={"recurrent_dropout": 0.5, "seed": 1}, recompute=2)
    again.set_weights(randomise(plain, rng))
    sequence, mask = random_sequence(rng), MASKS["left"]

    def results(layer: RNN) -> list[Any]:
        weights = [weight.value for weight in layer.trainable_weights]
        return results_and_gradients(layer, sequence, weights, mask=mask, training=True)

    assert_close(results(again), results(plain))


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
        ({"parts": 0}, "`parts` must be a positive integer, got 0"),
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


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_bidirectional_initial_state_must_hold_both_cells_states(count: int) -> None:
    layer, state = Bidirectional(make_rnn("lstm")), np.zeros((BATCH, UNITS))
    message = f"must hold 4 tensors, 2 for each direction, got {count}"
    with pytest.raises(ConfigError, match=message):
        layer(np.zeros((BATCH, STEPS, INPUTS)), initial_state=[state] * count)


def test_a_state_of_the_wrong_size_is_refused() -> None:
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match="not compatible"):
        make_rnn("gru")(np.zeros((BATCH, STEPS, INPUTS)), initial_state=[np.zeros((BATCH, 7))])


@pytest.mark.parametrize("shape", [(BATCH, INPUTS), (BATCH, STEPS, None)])
def test_a_sequence_has_time_and_known_units(shape: tuple[int | None, ...]) -> None:
    with pytest.raises(ConfigError, match="expected a sequence"):
        RNN(SimpleRNNCell(2)).build(shape)


@pytest.mark.parametrize("layer", [RNN(GRUCell(2), go_backwards=True), GRUCell(2), None])
def test_bidirectional_takes_a_forward_layer(layer: Any) -> None:
    with pytest.raises(ConfigError, match=r"must be a textrnn\.RNN with go_backwards=False"):
        Bidirectional(layer)


def test_merge_modes_are_checked() -> None:
    with pytest.raises(ConfigError, match="must be one of concat, sum, ave, mul, got 'max'"):
        Bidirectional(RNN(GRUCell(2)), merge_mode="max")
