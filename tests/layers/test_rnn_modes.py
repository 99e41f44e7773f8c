"""The layers in graphs, models, files, precisions, parts of a batch, and under dropout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
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
    each_family,
    few,
    make_cell,
    make_rnn,
    random_sequence,
    random_states,
    randomise,
    results_and_gradients,
)

from textrnn.errors import ConfigError
from textrnn.layers.bidirectional import Bidirectional
from textrnn.layers.cells import LSTMCell
from textrnn.layers.rnn import RNN

pytestmark = pytest.mark.usefixtures("seeded")


@pytest.mark.thorough
@each_family
@pytest.mark.parametrize("jit_compile", few([True, False]))
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


@each_family
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


@pytest.mark.thorough
@each_family
def test_functional_models_pass_masks_on(cell_name: str, rng: np.random.Generator) -> None:
    model = every_layer_model(cell_name)
    assert [output.shape for output in model.outputs] == [(None, None, UNITS), (None, UNITS)]
    sequence = masked_sequences(rng)
    states, last = model(sequence)
    assert states.shape == (BATCH, STEPS, UNITS)
    assert_close([states[:, :-1], last], model(sequence[:, :-1]), atol=1e-6)


@pytest.mark.thorough
def test_functional_models_predict_any_length(rng: np.random.Generator) -> None:
    model = every_layer_model("gru")
    for steps in (STEPS, 40):
        sequence = masked_sequences(rng, steps=steps)
        assert_close(model.predict(sequence, verbose=0), model(sequence), atol=1e-5)


@pytest.mark.thorough
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


@pytest.mark.thorough
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


@pytest.mark.thorough
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
    first, repeated, different = (layer(sequence, training=True)[0] for layer in layers)
    assert_close(first, repeated, atol=0)
    assert not np.allclose(first, different)
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


@pytest.mark.thorough
@each_family
def test_parts_of_a_batch_change_nothing(cell_name: str, rng: np.random.Generator) -> None:
    whole, cut = (make_rnn(cell_name, batch_parts=parts) for parts in (1, 2))
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

    weight_values = [weight.value for weight in whole.trainable_weights]
    for rows in (1, 2, BATCH):
        sequence, mask = random_sequence(rng)[:rows], MASKS["partial"][:rows]
        now = [state[:rows] for state in start]
        expected = results_and_gradients(
            whole, sequence, weight_values, mask=mask, initial_state=now
        )
        assert_close(graph(sequence, mask, now), expected)


@each_family
def test_recomputing_changes_nothing(cell_name: str, rng: np.random.Generator) -> None:
    plain = make_rnn(cell_name, cell={"recurrent_dropout": 0.5, "seed": 1})
    again = make_rnn(cell_name, cell={"recurrent_dropout": 0.5, "seed": 1}, recompute=2)
    again.set_weights(randomise(plain, rng))
    sequence, mask = random_sequence(rng), MASKS["left"]

    def results(layer: RNN) -> list[Any]:
        weights = [weight.value for weight in layer.trainable_weights]
        return results_and_gradients(layer, sequence, weights, mask=mask, training=True)

    assert_close(results(again), results(plain))
