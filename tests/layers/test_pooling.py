"""The heads against the oracle, and at the edges of their masks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import reference
import tensorflow as tf
from cases import BATCH, MASKS, STEPS, assert_close, randomise

from textrnn.layers.pooling import POOLINGS, AttentionPooling, LastState

pytestmark = pytest.mark.usefixtures("seeded")

UNITS = 4

each_pooling = pytest.mark.parametrize("name", [*POOLINGS, "last of both directions"])
each_mask = pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)


def make_pooling(name: str, **settings: Any) -> keras.layers.Layer:
    if name == "last of both directions":
        return LastState(bidirectional=True, **settings)
    return POOLINGS[name](**settings)


def expected_pool(
    name: str, states: np.ndarray, mask: np.ndarray | None, weights: list[np.ndarray]
) -> np.ndarray:
    if mask is None:
        mask = np.ones(states.shape[:2], bool)
    if name == "attention":
        return reference.attention_pooling(states, mask, weights)
    if name.startswith("last"):
        return reference.last_state(states, mask, bidirectional=name != "last")
    return {"mean": reference.mean_pooling, "max": reference.max_pooling}[name](states, mask)


@pytest.fixture
def states(rng: np.random.Generator) -> np.ndarray:
    """States below zero too, so that a zero of padding would be the largest."""
    return rng.normal(size=(BATCH, STEPS, UNITS)) - 1.0


@each_mask
@each_pooling
def test_equals_the_oracle(
    name: str, mask: np.ndarray | None, states: np.ndarray, rng: np.random.Generator
) -> None:
    layer = make_pooling(name, dtype="float64")
    layer.build(states.shape)
    weights = randomise(layer, rng)
    assert_close(layer(states, mask=mask), expected_pool(name, states, mask, weights))


@each_pooling
@pytest.mark.parametrize("mask_name", ["none", "partial", "full"])
def test_gradients_equal_finite_differences(
    name: str, mask_name: str, states: np.ndarray, rng: np.random.Generator
) -> None:
    layer = make_pooling(name, dtype="float64")
    layer.build(states.shape)
    weights, probe = randomise(layer, rng), rng.normal(size=(BATCH, UNITS))
    mask, tensor = MASKS[mask_name], tf.constant(states)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        total = tf.reduce_sum(probe * layer(tensor, mask=mask))
    actual = tape.gradient(total, [tensor, *(w.value for w in layer.trainable_weights)])

    def loss(arrays: list[np.ndarray]) -> float:
        return float(np.sum(probe * expected_pool(name, arrays[0], mask, arrays[1:])))

    assert_close(actual, reference.gradients(loss, [states, *weights]), atol=1e-7)


@each_pooling
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "float64"])
def test_a_text_without_a_step_gives_zeros_and_finite_gradients(
    name: str, dtype: str, states: np.ndarray
) -> None:
    layer = make_pooling(name, dtype=dtype)
    tensor = tf.cast(states, dtype)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        pooled = layer(tensor, mask=MASKS["empty"])
        total = tf.reduce_sum(pooled**2)
    assert pooled.dtype == dtype
    assert np.all(pooled == 0)
    sources = [tensor, *(w.value for w in layer.trainable_weights)]
    gradients = tape.gradient(total, sources, unconnected_gradients="zero")
    assert all(np.all(np.isfinite(tf.cast(g, tf.float64))) for g in gradients)


@each_pooling
def test_what_is_masked_does_not_count(name: str, states: np.ndarray) -> None:
    layer, mask = make_pooling(name, dtype="float64"), MASKS["partial"]
    garbage = np.where(mask[:, :, np.newaxis], states, 1e6)
    assert_close(layer(garbage, mask=mask), layer(states, mask=mask))
    padded = np.pad(states, [(0, 0), (2, 3), (0, 0)], constant_values=np.nan)
    assert_close(layer(padded, mask=np.pad(mask, [(0, 0), (2, 3)])), layer(states, mask=mask))


@each_mask
def test_attention_weights_sum_to_one_and_are_returned_on_request(
    mask: np.ndarray | None, states: np.ndarray, rng: np.random.Generator
) -> None:
    layer = AttentionPooling(3, return_weights=True, dtype="float64")
    layer.build(states.shape)
    weights = randomise(layer, rng)
    assert [w.shape for w in weights] == [(UNITS, 3), (3,), (3,)]
    pooled, alpha = layer(states, mask=mask)
    steps = np.ones((BATCH, STEPS), bool) if mask is None else mask
    assert_close(alpha, reference.attention_weights(states, steps, weights))
    assert_close(tf.reduce_sum(alpha, axis=1), steps.any(axis=1).astype(float))
    assert np.all(alpha.numpy()[~steps] == 0)
    assert_close(alpha, layer.weights_of(tf.constant(states), mask))
    plain = AttentionPooling(3, dtype="float64")
    plain.build(states.shape)
    plain.set_weights(weights)
    assert_close(plain(states, mask=mask), pooled)


@each_pooling
@pytest.mark.parametrize("jit_compile", [False, True])
def test_graphs_equal_eager_calls(name: str, jit_compile: bool, states: np.ndarray) -> None:
    layer = make_pooling(name, dtype="float64")
    layer.build(states.shape)
    graph = tf.function(lambda states, mask: layer(states, mask=mask), jit_compile=jit_compile)
    mask = tf.constant(MASKS["partial"])
    assert_close(graph(tf.constant(states), mask), layer(states, mask=mask))


@each_pooling
def test_keras_files_hold_the_layer(name: str, rng: np.random.Generator, tmp_path: Path) -> None:
    inputs = keras.Input((None, UNITS))
    layer = make_pooling(name)
    model = keras.Model(inputs, layer(keras.layers.Masking()(inputs)))
    randomise(layer, rng)
    model.save(tmp_path / "model.keras")
    states = rng.normal(size=(BATCH, STEPS, UNITS))
    states[1, 3:] = states[2] = 0.0
    pooled = model(states)
    assert_close(keras.saving.load_model(tmp_path / "model.keras")(states), pooled, atol=0)
    assert_close(pooled[1:2], model(states[1:2, :3]), atol=1e-6)
    assert np.all(pooled[2] == 0)


@pytest.mark.parametrize(
    "layer",
    [
        *(pooling(name="head", dtype="float64") for pooling in POOLINGS.values()),
        LastState(bidirectional=True),
        AttentionPooling(7, return_weights=True),
    ],
)
def test_config_makes_an_equal_layer(layer: keras.layers.Layer) -> None:
    config = layer.get_config()
    assert type(layer).from_config(config).get_config() == config


@each_pooling
def test_mixed_precision_computes_in_bfloat16(
    name: str, states: np.ndarray, set_dtype_policy: Callable[[str], None]
) -> None:
    set_dtype_policy("mixed_bfloat16")
    layer = make_pooling(name)
    pooled = layer(states.astype("float32"), mask=MASKS["right"])
    assert pooled.dtype == tf.bfloat16
    expected = expected_pool(name, states, MASKS["right"], layer.get_weights())
    assert_close(tf.cast(pooled, tf.float64), expected, atol=0.05)
