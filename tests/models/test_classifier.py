"""The classifier: what must never change its logits, and every mode it runs in."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from cases import assert_close, by_family, each_family, few, randomise
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import every_pair, with_ngrams

from textrnn.config.choices import HEADS
from textrnn.config.model import ModelConfig
from textrnn.errors import ConfigError
from textrnn.layers.cells import CELLS
from textrnn.models.classifier import TextClassifier, align_left

pytestmark = pytest.mark.usefixtures("seeded")

VOCABULARY, CLASSES = 8, 3
IDS = np.array([[3, 4, 5, 2, 7], [6, 1, 2, 0, 0], [0, 0, 0, 0, 0]])
DEEP: dict[str, Any] = {"layers": 2, "pyramid": True, "residual": True, "layer_norm": True}
NO_DROPOUT: dict[str, Any] = {
    setting.name: 0.0
    for setting in dataclasses.fields(ModelConfig)
    if setting.name.endswith("dropout")
}

each_cell = pytest.mark.parametrize("cell", [*by_family(CELLS), "none"])


def make_model(*, dtype: str | None = None, **config: Any) -> TextClassifier:
    """A tiny model with random weights, biases too."""
    sizes = {"units": 3, "embedding_units": 2}
    model = TextClassifier(
        VOCABULARY, CLASSES, config=ModelConfig(**{**sizes, **config}), dtype=dtype
    )
    model.build((None, None))
    randomise(model, np.random.default_rng(0))
    return model


shared_model = functools.cache(make_model)
"""A model that tests only read."""


@functools.cache
def shared_model_with_ngrams() -> TextClassifier:
    return with_ngrams(shared_model(cell="gru", **DEEP))


# What must not change the logits.

texts = st.lists(st.lists(st.integers(1, VOCABULARY - 1), max_size=5), min_size=1, max_size=3)


@st.composite
def padded_batches(draw: st.DrawFn) -> tuple[list[list[int]], np.ndarray]:
    """Texts, and a batch that holds them in their order with padding left, right and between."""
    batch = draw(texts)
    length = max(map(len, batch)) + draw(st.integers(0, 3))
    ids = np.zeros((len(batch), max(length, 1)), np.int32)
    for row, text in enumerate(batch):
        places = draw(st.permutations(range(length)))[: len(text)]
        ids[row, sorted(places)] = text
    return batch, ids


def check_that_only_the_text_counts(model: TextClassifier, batch: Any, rows: np.ndarray) -> None:
    logits = model(rows).numpy()
    for text, row in zip(batch, logits, strict=True):
        alone = model(np.array([text or [0]]))[0]
        assert_close(row, alone, atol=1e-5)
    assert_close(model(rows[::-1]), logits[::-1], atol=1e-5)


@every_pair
def test_padding_company_and_order_change_nothing(cell: str, head: str) -> None:
    model = shared_model(cell=cell, head=head)

    @settings(max_examples=5, deadline=None, derandomize=True)
    @given(padded=padded_batches())
    def check(padded: tuple[Any, np.ndarray]) -> None:
        check_that_only_the_text_counts(model, *padded)

    check()


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("bidirectional", "head"),
    [
        pytest.param(both, head, marks=() if both == (i % 2 == 0) else pytest.mark.thorough)
        for both in (False, True)
        for i, head in enumerate(HEADS)
    ],
)
@settings(max_examples=5, deadline=None, derandomize=True)
@given(padded=padded_batches())
def test_halving_and_depth_see_no_padding_either(
    bidirectional: bool, head: str, padded: tuple[Any, np.ndarray]
) -> None:
    model = shared_model(cell="gru", head=head, bidirectional=bidirectional, **DEEP)
    check_that_only_the_text_counts(model, *padded)


@pytest.mark.thorough
@settings(max_examples=5, deadline=None, derandomize=True)
@given(padded=padded_batches())
def test_n_grams_see_no_padding_either(padded: tuple[Any, np.ndarray]) -> None:
    check_that_only_the_text_counts(shared_model_with_ngrams(), *padded)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(padded=padded_batches())
def test_align_left_moves_tokens_to_the_front_in_order(padded: tuple[Any, np.ndarray]) -> None:
    batch, ids = padded
    expected = np.zeros_like(ids)
    for row, text in enumerate(batch):
        expected[row, : len(text)] = text
    assert np.array_equal(align_left(tf.constant(ids)), expected)


# Texts at the edges.


@every_pair
def test_a_text_without_a_token_gives_the_logits_of_the_zero_vector(cell: str, head: str) -> None:
    model = shared_model(cell=cell, head=head)
    expected = np.tile(model.classify.bias.numpy(), (2, 1))
    for steps in (0, 1, 5):
        assert_close(model(np.zeros((2, steps), np.int32)), expected, atol=1e-6)


@every_pair
def test_a_text_of_one_token_is_its_own_pool(cell: str, head: str) -> None:
    model = shared_model(cell=cell, head=head)
    states = model.embedding(np.array([[5]]))
    if model.stack is not None:
        states, _ = model.stack(states)
    assert_close(model(np.array([[5]])), model.classify(states[:, 0]), atol=1e-5)


@pytest.mark.parametrize("cell", [*by_family(CELLS), "none"])
def test_a_text_of_3000_tokens_works_at_any_place(cell: str, rng: np.random.Generator) -> None:
    model = shared_model(cell=cell)
    graph = tf.function(model, input_signature=[tf.TensorSpec([None, None], tf.int32)])
    ids = np.zeros((2, 3100), np.int32)
    ids[0, :3000] = ids[1, 100:] = rng.integers(1, VOCABULARY, 3000)
    logits = graph(ids)
    assert np.all(np.isfinite(logits))
    assert_close(logits[0], logits[1], atol=1e-5)
    assert_close(graph(ids[1:, 100:])[0], logits[1], atol=1e-5)


# Training.


@pytest.mark.parametrize(
    ("rate", "cell_name"),
    [
        pytest.param(*pair, marks=() if i % len(CELLS) == i // len(CELLS) else pytest.mark.thorough)
        for i, pair in enumerate(itertools.product(NO_DROPOUT, CELLS))
    ],
)
def test_each_dropout_acts_in_training_alone(rate: str, cell_name: str) -> None:
    model = shared_model(cell=cell_name, **{**NO_DROPOUT, rate: 0.5})
    ids = np.repeat(IDS, 5, axis=0)
    assert_close(model(ids), model(ids, training=False), atol=0)
    first, second = (model(ids, training=True) for _ in range(2))
    assert not np.allclose(first, second)
    assert not np.allclose(first, model(ids))


def test_without_dropout_training_is_inference(cell_name: str) -> None:
    model = shared_model(cell=cell_name, **NO_DROPOUT)
    assert_close(model(IDS, training=True), model(IDS), atol=1e-6)


def test_word_dropout_makes_tokens_unknown_but_never_padding() -> None:
    model = shared_model(cell="none", head="mean", **{**NO_DROPOUT, "word_dropout": 0.5})
    ids = tf.constant(np.pad(np.full((200, 50), 5, np.int32), [(0, 0), (0, 10)]))
    dropped = model.drop_words(ids).numpy()
    assert np.all(dropped[:, 50:] == 0)
    assert set(np.unique(dropped[:, :50])) == {1, 5}
    assert abs(np.mean(dropped[:, :50] == 1) - 0.5) < 0.02


@every_pair
def test_every_weight_gets_a_finite_gradient(cell: str, head: str) -> None:
    model = make_model(cell=cell, head=head)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(IDS, training=True) ** 2)
    weights = model.trainable_weights
    for weight, gradient in zip(
        weights, tape.gradient(loss, [w.value for w in weights]), strict=True
    ):
        assert gradient is not None, weight.path
        assert np.all(np.isfinite(tf.convert_to_tensor(gradient)))


def test_it_learns_which_word_decides() -> None:
    model = make_model(cell="mingru", units=4, embedding_units=4, **NO_DROPOUT)
    model.compile(
        keras.optimizers.Adam(0.05), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    ids = np.random.default_rng(0).integers(5, VOCABULARY, (64, 6))
    labels = np.arange(64) % CLASSES
    ids[np.arange(64), np.arange(64) % 6] = 2 + labels
    history = model.fit(ids, labels, epochs=20, batch_size=32, verbose=0)
    assert history.history["loss"][-1] < 0.2


# Every mode.


@pytest.mark.thorough
@pytest.mark.parametrize("jit_compile", few([True, False]))
@pytest.mark.parametrize("config", few([{"cell": "gru", **DEEP}, {"cell": "none"}]))
def test_graphs_equal_eager_calls(config: dict[str, Any], jit_compile: bool) -> None:
    model = shared_model(**config, head="attention")
    graph = tf.function(model, jit_compile=jit_compile)
    assert_close(graph(tf.constant(IDS)), model(IDS), atol=1e-5)


@each_family
def test_dtype_reaches_every_layer(cell_name: str) -> None:
    double = make_model(cell=cell_name, head="attention", dtype="float64", **DEEP)
    assert {weight.dtype for weight in double.weights} == {"float64"}
    assert double(IDS, training=True).dtype == tf.float64
    mixed = make_model(cell=cell_name, head="attention", dtype="mixed_bfloat16", **DEEP)
    logits = mixed(IDS, training=True)
    assert logits.dtype == tf.bfloat16
    assert np.all(np.isfinite(tf.cast(logits, tf.float32)))
    assert {weight.dtype for weight in mixed.weights} == {"float32"}


def test_a_global_dtype_policy_is_obeyed(set_dtype_policy: Callable[[str], None]) -> None:
    set_dtype_policy("mixed_bfloat16")
    assert make_model(cell="lstm", recurrent_dropout=0.5)(IDS, training=True).dtype == tf.bfloat16


@each_cell
def test_config_makes_an_equal_model(cell: str) -> None:
    model = make_model(cell=cell, head="last", window=2, dtype="float64", **DEEP)
    again = TextClassifier.from_config(model.get_config())
    assert again.get_config() == model.get_config()
    assert again.config == model.config
    again.build((None, None))
    again.set_weights(model.get_weights())
    assert_close(again(IDS), model(IDS))


@each_cell
def test_weights_move_through_a_file(cell: str, tmp_path: Path) -> None:
    model = shared_model(cell=cell, head="attention", layer_norm=True)
    model.save_weights(tmp_path / "model.weights.h5")
    second = TextClassifier(VOCABULARY, CLASSES, config=model.config)
    second.build((None, None))
    assert not np.allclose(second(IDS), model(IDS))
    second.load_weights(tmp_path / "model.weights.h5")
    assert_close(second(IDS), model(IDS), atol=0)


@each_cell
def test_keras_files_hold_the_whole_model(cell: str, tmp_path: Path) -> None:
    model = shared_model(cell=cell, head="attention", **DEEP)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.get_config() == model.get_config()
    assert_close(loaded(IDS), model(IDS), atol=0)


@pytest.mark.thorough
def test_saved_models_serve_any_shape(tmp_path: Path) -> None:
    model = shared_model(cell="mingru", head="max", **DEEP)
    signature = [keras.InputSpec(shape=(None, None), dtype="int32")]
    model.export(tmp_path / "model", input_signature=signature, verbose=False)
    served = tf.saved_model.load(tmp_path / "model")
    for ids in (IDS, IDS[:1], np.tile(IDS, 9), IDS[:, :0]):
        assert_close(served.serve(tf.constant(ids, tf.int32)), model(ids), atol=1e-5)


# n-grams.


def test_the_logits_of_n_grams_are_added() -> None:
    plain = shared_model(cell="gru", head="mean", bidirectional=False)
    model = with_ngrams(plain)
    assert model.ngrams is not None
    ids = tf.constant(IDS[:2], tf.int32)
    expected = plain(ids) + model.ngrams(ids)
    assert not np.allclose(expected, plain(ids), atol=0.1)
    assert_close(model(ids), expected, atol=1e-5)
    state = model.start(2)
    for piece in (ids[:, :2], ids[:, 2:2], ids[:, 2:]):
        logits, state = model.advance(state, piece)
    assert_close(logits, expected, atol=1e-5)
    each, _ = model.advance_each(model.start(2), ids)
    for stop in range(1, 6):
        assert_close(each[0, stop - 1], model(ids[:1, :stop])[0], atol=1e-5)


def test_a_model_with_n_grams_moves_through_files(tmp_path: Path) -> None:
    model = with_ngrams(shared_model(cell="gru"))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.get_config() == model.get_config()
    assert_close(loaded(IDS), model(IDS), atol=0)
    model.save_weights(tmp_path / "model.weights.h5")
    second = TextClassifier(
        VOCABULARY, CLASSES, config=model.config, ngram_counts=model.ngram_counts
    )
    second.build((None, None))
    second.load_weights(tmp_path / "model.weights.h5")
    assert_close(second(IDS), model(IDS), atol=0)


@pytest.mark.thorough
def test_n_grams_work_in_low_precision_and_under_xla() -> None:
    mixed = with_ngrams(make_model(cell="gru", dtype="mixed_bfloat16"))
    assert mixed(IDS).dtype == tf.float32  # The copy is in float32.
    graph = tf.function(mixed, jit_compile=True)
    assert_close(graph(tf.constant(IDS, tf.int32)), mixed(IDS), atol=1e-5)


# Settings.


def test_each_setting_reaches_its_layer() -> None:
    model = make_model(
        cell="lstm",
        units=5,
        layers=2,
        bidirectional=False,
        head="last",
        window=4,
        embedding_units=6,
        dropout=0.3,
        embedding_dropout=0.4,
        recurrent_dropout=0.2,
        chrono_steps=7,
        residual=True,
        layer_norm=True,
        pyramid=True,
    )
    stack = model.stack
    assert stack is not None
    assert model.embedding.units == 6
    assert len(stack.cells) == 2
    assert (stack.window, stack.bidirectional, stack.dropout) == (4, False, 0.3)
    assert (stack.residual, stack.layer_norm, stack.pyramid) == (True, True, True)
    assert {(c.units, c.recurrent_dropout, c.chrono_steps) for c in stack.cells} == {(5, 0.2, 7)}
    assert not model.pooling.bidirectional
    assert (model.embedding_dropout.rate, model.pooled_dropout.rate) == (0.4, 0.3)
    assert make_model(cell="gru", head="last").pooling.bidirectional
    assert not make_model(cell="none", head="last").pooling.bidirectional


def test_a_bag_of_embeddings_knows_no_order() -> None:
    model = shared_model(cell="none", head="mean")
    assert model.stack is None
    assert_close(model(IDS[:, ::-1]), model(IDS), atol=1e-6)


def test_one_class_is_the_least() -> None:
    with pytest.raises(ConfigError, match="`classes` must be at least 1, got 0"):
        TextClassifier(VOCABULARY, 0)
    model = TextClassifier(VOCABULARY, 1)
    assert model(IDS).shape == [len(IDS), 1]


def test_chrono_steps_need_gates() -> None:
    with pytest.raises(ConfigError, match="`chrono_steps` needs a cell with gates"):
        make_model(cell="simple", chrono_steps=9)
    with pytest.raises(ConfigError, match="`chrono_steps` must be 0"):
        make_model(cell="gru", chrono_steps=2)
