"""A text read piece by piece gives what the whole text gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from cases import assert_close, built_cell, randomise
from hypothesis import given
from hypothesis import strategies as st
from random_examples import examples
from tiny import WORD, every_pair, random_classifier

from textrnn import RNN
from textrnn.errors import ConfigError
from textrnn.layers.cells import CELLS
from textrnn.layers.pooling import POOLINGS

pytestmark = pytest.mark.usefixtures("seeded")

LENGTH = 7
LENGTHS = np.array([7, 4, 0])
MASK = np.arange(LENGTH) < LENGTHS[:, np.newaxis]


def pieces_of(sequence: np.ndarray, cuts: list[int]) -> list[np.ndarray]:
    """A sequence `[B, T, ..]` cut at these times; equal cuts give a piece of no step."""
    return np.split(sequence, sorted(cuts), axis=1)


@pytest.mark.parametrize("cuts", [[], [3], [1, 2, 6], [2, 2]])
@pytest.mark.parametrize("scale", [1.0, 1000.0])
@pytest.mark.parametrize("name", POOLINGS)
def test_a_head_adds_up_pieces(
    name: str, scale: float, cuts: list[int], rng: np.random.Generator
) -> None:
    states = rng.normal(size=(3, LENGTH, 4)) - 1.0
    mask = np.array([[1, 0, 1, 1, 0, 1, 1], [0, 0, 0, 1, 0, 0, 0], [0] * 7], bool)
    layer = POOLINGS[name](dtype="float64")
    layer.build(states.shape)
    layer.set_weights([scale * weight for weight in randomise(layer, rng)])
    summary = layer.start(3, 4)
    for piece, piece_mask in zip(pieces_of(states, cuts), pieces_of(mask, cuts), strict=True):
        if piece.shape[1]:
            summary = layer.add(summary, tf.constant(piece), tf.constant(piece_mask))
    assert_close(layer.finish(summary), layer(tf.constant(states), mask=tf.constant(mask)))


@pytest.mark.thorough
def test_the_mean_of_a_long_text_does_not_drift(rng: np.random.Generator) -> None:
    states = (rng.normal(size=(1, 20_000, 2)) + 10.0).astype(np.float32)
    layer = POOLINGS["mean"]()
    add = tf.function(layer.add)
    summary = layer.start(1, 2)
    for piece in np.split(states, 2_000, axis=1):
        summary = add(summary, tf.constant(piece), tf.ones([1, 10], tf.bool))
    assert_close(layer.finish(summary), states.astype(np.float64).mean(axis=1), atol=2e-6)


@pytest.mark.parametrize("kernel", ["auto", "unroll"])
@pytest.mark.parametrize("window", [1, 3])
def test_a_recurrence_continues(
    cell_name: str, window: int, kernel: str, rng: np.random.Generator
) -> None:
    layer = RNN(
        CELLS[cell_name](3, dtype="float64"), window=window, kernel=kernel, return_sequences=True
    )
    layer.build((None, None, 2))
    randomise(layer, rng)
    sequence = rng.normal(size=(3, LENGTH, 2))
    memory, outputs = layer.start(3, 2), []
    for piece, mask in zip(pieces_of(sequence, [2, 3]), pieces_of(MASK, [2, 3]), strict=True):
        output, memory = layer.advance(memory, tf.constant(piece), tf.constant(mask))
        outputs.append(output)
    whole = layer(tf.constant(sequence), mask=tf.constant(MASK))
    assert_close(tf.concat(outputs, axis=1)[MASK], whole[MASK])


def test_a_recurrence_that_reads_backwards_cannot() -> None:
    layer = RNN(built_cell("gru"), go_backwards=True)
    with pytest.raises(ConfigError, match="needs the whole sequence"):
        layer.advance(layer.start(1, 2), tf.zeros([1, 1, 2], tf.float64), tf.ones([1, 1], tf.bool))


def make_classifier(cell: str, head: str, **more: Any) -> Any:
    return random_classifier(
        cell, head, **{"bidirectional": False, "layers": 2, "window": 2, **more}
    )


def ids_of_rows(rng: np.random.Generator) -> np.ndarray:
    """Ids with padding anywhere, one row without a token."""
    ids = rng.integers(1, WORD + 1, (3, 12)) * rng.integers(0, 2, (3, 12))
    ids[2] = 0
    return ids.astype(np.int32)


def read(model: Any, pieces: list[np.ndarray]) -> tf.Tensor:
    memory = model.start(len(pieces[0]))
    for piece in pieces:
        logits, memory = model.advance(memory, tf.constant(piece))
    return logits


@every_pair
def test_a_classifier_reads_pieces(cell: str, head: str, rng: np.random.Generator) -> None:
    model = make_classifier(cell, head, residual=True, layer_norm=True)
    ids = ids_of_rows(rng)
    whole = model(ids)
    assert_close(read(model, pieces_of(ids, [5, 5, 6])), whole, atol=1e-5)
    assert_close(read(model, [ids[:, :0], ids]), whole, atol=1e-5)


def test_a_bag_of_embeddings_reads_pieces(rng: np.random.Generator) -> None:
    model = make_classifier("none", "attention", bidirectional=True)
    ids = ids_of_rows(rng)
    assert_close(read(model, pieces_of(ids, [1, 7])), model(ids), atol=1e-5)


_MODEL: list[Any] = []


@examples(25)
@given(st.lists(st.integers(0, 12), max_size=5), st.integers(0, 99))
def test_it_does_not_matter_where_a_text_is_cut(cuts: list[int], seed: int) -> None:
    if not _MODEL:
        _MODEL.append(make_classifier("mingru", "mean", window=3))
    ids = ids_of_rows(np.random.default_rng(seed))
    assert_close(read(_MODEL[0], pieces_of(ids, cuts)), _MODEL[0](ids), atol=1e-5)


def test_the_memory_has_the_same_shapes_however_much_was_read(rng: np.random.Generator) -> None:
    model = make_classifier("lstm", "attention")
    start = model.start(3)
    _, after = model.advance(start, tf.constant(ids_of_rows(rng)))
    tf.nest.assert_same_structure(start, after)
    assert [s.shape for s in tf.nest.flatten(start)] == [s.shape for s in tf.nest.flatten(after)]


@pytest.mark.thorough
def test_reads_in_a_graph_of_unknown_shapes(rng: np.random.Generator) -> None:
    model = make_classifier("gru", "max", window=3)

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.int32)] * 2)
    def logits(first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
        memory = model.start(tf.shape(first)[0])
        _, memory = model.advance(memory, first)
        return model.advance(memory, second)[0]

    ids = ids_of_rows(rng)
    assert_close(logits(*pieces_of(ids, [5])), model(ids), atol=1e-5)


@pytest.mark.parametrize("setting", ["bidirectional", "pyramid"])
def test_a_model_that_needs_the_whole_text_names_the_setting(setting: str) -> None:
    with pytest.raises(ConfigError, match=f"`{setting}` must be off to read a text piece by piece"):
        make_classifier("mingru", "mean", **{setting: True}).start(1)
