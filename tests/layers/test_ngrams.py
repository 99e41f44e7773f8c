"""The logits of n-grams, against a sum over a dictionary of n-grams."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from cases import assert_close
from hypothesis import given
from hypothesis import strategies as st
from random_examples import examples

from textrnn.errors import ConfigError
from textrnn.layers.ngrams import NO_KEY, NGramLogits, NGramState, NGramTable

VOCABULARY, CLASSES = 6, 3
ONCE_IN = 3
NGrams = dict[tuple[int, ...], np.ndarray]


def random_ngrams(orders: int, *, seed: int = 0) -> NGrams:
    """All tokens, and about half of the longer n-grams whose beginning has a weight."""
    rng = np.random.default_rng(seed)
    known: list[tuple[int, ...]] = [(token,) for token in range(1, VOCABULARY)]
    weights: NGrams = {}
    for _ in range(orders):
        weights |= {ngram: rng.integers(-127, 128, CLASSES) for ngram in known}
        longer = [(*ngram, token) for ngram in known for token in range(1, VOCABULARY)]
        known = [ngram for ngram in longer if rng.random() < 0.5]
    return weights


def table_of(ngrams: NGrams, orders: int) -> NGramTable:
    """The table of some n-grams; the scale of order n is n/10."""
    tokens = np.zeros([VOCABULARY, CLASSES], np.int8)
    rows: dict[tuple[int, ...], int] = {}
    for token in range(1, VOCABULARY):
        tokens[token], rows[(token,)] = ngrams[(token,)], token
    keys_of, weights_of = [], [tokens]
    for order in range(2, orders + 1):
        of_order = [ngram for ngram in ngrams if len(ngram) == order]
        keys = {rows[ngram[:-1]] * VOCABULARY + ngram[-1]: ngram for ngram in of_order}
        ordered = sorted(keys)
        rows |= {keys[key]: row for row, key in enumerate(ordered, start=1)}
        keys_of.append(np.array([NO_KEY, *ordered], np.int32))
        zero = np.zeros([1, CLASSES], np.int8)
        weights_of.append(np.array([*zero, *(ngrams[keys[key]] for key in ordered)], np.int8))
    scales = tuple(order / 10 for order in range(1, orders + 1))
    return NGramTable(tuple(keys_of), tuple(weights_of), scales, np.array([0.5, -1, 2], np.float32))


def expected_logits(ngrams: NGrams, text: list[int], orders: int) -> np.ndarray:
    """The equation of the layer's docstring."""
    total = np.zeros(CLASSES)
    for stop in range(1, len(text) + 1):
        for order in range(1, min(orders, stop) + 1):
            ngram = text[stop - order : stop]
            first = max(order, stop - ONCE_IN)
            earlier = [text[end - order : end] for end in range(first, stop)]
            if ngram not in earlier:
                total += order / 10 * ngrams.get(tuple(ngram), 0)
    return total / np.sqrt(max(len(text), 1)) + [0.5, -1, 2]


def make_layer(orders: int, **settings: Any) -> tuple[NGramLogits, NGrams]:
    ngrams = random_ngrams(orders)
    table = table_of(ngrams, orders)
    layer = NGramLogits(VOCABULARY, CLASSES, counts=table.counts, once_in=ONCE_IN, **settings)
    layer.set_table(table)
    return layer, ngrams


LAYERS = {orders: make_layer(orders) for orders in (1, 2, 3)}
texts = st.lists(st.integers(1, VOCABULARY - 1), max_size=9)


def padded(rows: list[list[int]], length: int) -> tf.Tensor:
    return tf.constant([[*row, *[0] * (length - len(row))] for row in rows], tf.int32)


@pytest.mark.thorough
@pytest.mark.parametrize("orders", LAYERS)
@examples(100)
@given(rows=st.lists(texts, min_size=1, max_size=3))
def test_the_logits_are_the_sum_over_the_n_grams(orders: int, rows: list[list[int]]) -> None:
    layer, ngrams = LAYERS[orders]
    logits = layer(padded(rows, max(1, *map(len, rows)) + 1)).numpy()
    expected = [expected_logits(ngrams, row, orders) for row in rows]
    assert_close(logits, np.array(expected, np.float32), atol=1e-3)


@pytest.mark.thorough
@pytest.mark.parametrize("orders", LAYERS)
@examples(100)
@given(text=texts, cuts=st.lists(st.integers(0, 9), max_size=3))
def test_a_text_in_pieces_has_the_logits_of_the_whole(
    orders: int, text: list[int], cuts: list[int]
) -> None:
    layer, ngrams = LAYERS[orders]
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    state = layer.start(1)
    prefixes = []
    for start, stop in itertools.pairwise(places):
        piece = padded([text[start:stop]], 10)
        mask = piece != 0
        before = state
        evidence, state = layer.advance(state, piece, mask)
        after_each = layer.prefixes(before, evidence, mask, steps=10)
        prefixes += [*after_each[0, : stop - start].numpy()]
    expected = np.float32(expected_logits(ngrams, text, orders))
    assert_close(layer.finish(state)[0], expected, atol=1e-3)
    for count, logits in enumerate(prefixes, start=1):
        wanted = np.float32(expected_logits(ngrams, text[:count], orders))
        assert_close(logits, wanted, atol=1e-3)


def test_texts_of_a_batch_may_have_pieces_of_different_lengths() -> None:
    layer, ngrams = LAYERS[3]
    state: NGramState = layer.start(2)
    for pieces in ([[3, 4], []], [[], [1, 5, 2, 2]], [[4, 1], [3]]):
        ids = padded(pieces, 5)
        _, state = layer.advance(state, ids, ids != 0)
    expected = [expected_logits(ngrams, text, 3) for text in ([3, 4, 4, 1], [1, 5, 2, 2, 3])]
    assert_close(layer.finish(state), np.array(expected, np.float32), atol=1e-3)


def test_each_n_gram_counts_once_in_a_while() -> None:
    layer, ngrams = make_layer(1)
    evidence = layer.evidence(padded([[2, 3, 2, 4, 4, 4, 2]], 7))[0].numpy()
    counted = [
        token if new else 0
        for token, new in zip([2, 3, 2, 4, 4, 4, 2], [1, 1, 0, 1, 0, 0, 1], strict=True)
    ]
    zero = np.zeros(CLASSES)
    expected = [ngrams[(token,)] / 10 if token else zero for token in counted]
    assert_close(evidence, np.array(expected, np.float32), atol=1e-5)
    always = NGramLogits(VOCABULARY, CLASSES, once_in=0)
    always.set_table(table_of(ngrams, 1))
    assert_close(
        always.evidence(tf.constant([[2, 2, 2]]))[0, 2], np.float32(ngrams[(2,)] / 10), atol=1e-5
    )


def test_every_key_of_a_large_table_is_found() -> None:
    vocabulary = 300
    rng = np.random.default_rng(0)
    keys = np.sort(rng.permutation(np.arange(vocabulary, vocabulary**2))[:5000])
    keys = keys[keys % vocabulary > 0]
    layer = NGramLogits(vocabulary, 1, counts=[len(keys) + 1])
    weights = np.arange(len(keys) + 1) % 127 + 1
    weights[0] = 0
    tokens = np.zeros([vocabulary, 1], np.int8)
    layer.set_table(
        NGramTable(
            (np.array([NO_KEY, *keys], np.int32),),
            (tokens, weights[:, np.newaxis].astype(np.int8)),
            (1.0, 1.0),
            np.zeros(1, np.float32),
        )
    )
    pairs = np.stack([keys // vocabulary, keys % vocabulary], axis=1)
    np.testing.assert_array_equal(layer.evidence(pairs)[:, 1, 0], weights[1:])
    known = set(keys.tolist())
    missing = [key for key in range(vocabulary, vocabulary**2, 7) if key not in known]
    pairs = np.stack(np.divmod(missing, vocabulary), axis=1)
    np.testing.assert_array_equal(layer.evidence(pairs)[:, 1, 0], 0)


@pytest.mark.parametrize("jit", [False, True])
def test_the_layer_works_in_a_graph_and_under_xla(jit: bool) -> None:
    layer, _ = LAYERS[3]
    ids = padded([[3, 4, 1], [5]], 4)
    compiled = tf.function(layer, jit_compile=jit, autograph=False)
    assert_close(compiled(ids), layer(ids), atol=1e-4)


def test_a_keras_model_with_the_layer_is_saved_and_loaded(tmp_path: Path) -> None:
    layer, _ = make_layer(2)
    ids = keras.Input([None], dtype="int32")
    model = keras.Model(ids, layer(ids))
    batch = padded([[3, 4, 1], [5]], 4)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(batch), model(batch))
    assert not again.trainable_variables


def test_weights_are_stored_as_int8(tmp_path: Path) -> None:
    store: dict[str, Any] = {}
    layer, _ = make_layer(2)
    layer.save_own_variables(store)
    types = {name: values.dtype for name, values in store.items() if "weights" in name}
    assert types == {"weights_1": np.int8, "weights_2": np.int8}


def test_a_layer_in_low_precision_computes_in_float32() -> None:
    layer, _ = make_layer(2, dtype="mixed_bfloat16")
    ids = padded([[3, 4, 1]], 4)
    assert layer(ids).dtype == tf.float32
    assert_close(layer(ids), LAYERS[2][0](ids), atol=1e-6)


def test_keys_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ConfigError, match="at most 46,340 n-grams of an order"):
        NGramLogits(46_341, 2, counts=[10])
    NGramLogits(46_341, 2)
