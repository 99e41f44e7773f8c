"""Labels, and what the logits of a classifier say of them."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from textrnn.errors import DataError
from textrnn.models.label_space import LabelSpace

LABELS = ("a", "b", "c")
SINGLE = LabelSpace(LABELS, multi_label=False)
MULTI = LabelSpace(LABELS, multi_label=True)
each_space = pytest.mark.parametrize("space", [SINGLE, MULTI], ids=["single", "multi"])


def logits(seed: int, rows: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, 3)).astype(np.float32)


def targets(space: LabelSpace, rows: int = 5) -> np.ndarray:
    rng = np.random.default_rng(7)
    if space.multi_label:
        return rng.integers(0, 2, (rows, 3)).astype(np.float32)
    return np.eye(3, dtype=np.float32)[rng.integers(0, 3, rows)]


def test_targets_are_one_where_a_text_carries_a_label() -> None:
    assert SINGLE.targets([("b",), ("a",)]).tolist() == [[0, 1, 0], [1, 0, 0]]
    assert MULTI.targets([("c", "a"), ()]).tolist() == [[1, 0, 1], [0, 0, 0]]
    assert MULTI.targets([]).shape == (0, 3)
    assert MULTI.targets([()]).dtype == np.float32


def test_an_unknown_label_is_named_with_some_of_the_known_ones() -> None:
    with pytest.raises(DataError, match=r"expected the labels a, b, c, got 'd'\."):
        SINGLE.targets([("d",)])
    many = LabelSpace(tuple("abcdefghijkl"), multi_label=False)
    with pytest.raises(DataError, match=r"i, j, \.\.\., got 'z'"):
        many.targets([("z",)])


def test_activations() -> None:
    values = logits(0)
    assert np.allclose(tf.reduce_sum(SINGLE.activation(values), axis=1), 1.0)
    assert np.allclose(MULTI.activation(values), 1.0 / (1.0 + np.exp(-values)))


def test_decisions() -> None:
    probabilities = np.array([[0.5, 0.49, 0.9], [0.2, 0.1, 0.3]])
    assert SINGLE.decide(probabilities).tolist() == [[False, False, True]] * 2
    assert MULTI.decide(probabilities).tolist() == [[True, False, True], [False, False, False]]


@each_space
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_logits_and_probabilities_give_the_same_right_answers(space: LabelSpace, seed: int) -> None:
    values, wanted = logits(seed), targets(space)
    in_graph = tf.function(space.correct)(values, wanted).numpy()
    probabilities = space.activation(values).numpy()
    assert in_graph.tolist() == space.right_answers(probabilities, wanted).tolist()


def test_a_multi_label_text_is_right_with_all_its_labels() -> None:
    probabilities = np.array([[0.9, 0.1, 0.5], [0.9, 0.6, 0.8], [0.2, 0.2, 0.2]])
    wanted = MULTI.targets([("a", "c"), ("a", "c"), ()])
    assert MULTI.right_answers(probabilities, wanted).tolist() == [True, False, True]


@each_space
def test_the_training_loss_is_the_log_loss(space: LabelSpace) -> None:
    values, wanted = logits(1), targets(space)
    expected = space.log_loss(space.activation(values).numpy(), wanted)
    np.testing.assert_allclose(space.loss()(wanted, values), expected, rtol=1e-5)
    smoothed = space.loss(label_smoothing=0.2)(wanted, values)
    assert not np.allclose(smoothed, expected)


def test_log_losses_by_hand() -> None:
    probabilities = np.array([[0.5, 0.25, 0.25]])
    assert SINGLE.log_loss(probabilities, np.array([[0, 1, 0]])) == pytest.approx([np.log(4)])
    wanted = -(np.log(0.5) + np.log(0.25) + np.log(0.75)) / 3
    assert MULTI.log_loss(probabilities, np.array([[0, 1, 0]])) == pytest.approx([wanted])
    assert np.isfinite(SINGLE.log_loss(np.array([[1.0, 0.0, 0.0]]), np.array([[0, 1, 0]]))).all()


@each_space
def test_divergence_and_entropy_by_their_definitions(space: LabelSpace) -> None:
    first, second = logits(2), logits(3)
    p, q = (space.activation(values).numpy().astype(np.float64) for values in (first, second))
    if space.multi_label:
        divergence = p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))
        entropy = -p * np.log(p) - (1 - p) * np.log(1 - p)
        wanted = divergence.mean(axis=1), entropy.mean(axis=1)
    else:
        wanted = (p * np.log(p / q)).sum(axis=1), -(p * np.log(p)).sum(axis=1)
    np.testing.assert_allclose(space.divergence(first, second), wanted[0], atol=1e-5)
    np.testing.assert_allclose(space.entropy(first), wanted[1], atol=1e-5)
    np.testing.assert_allclose(space.divergence(first, first), 0.0, atol=1e-6)


@each_space
def test_a_temperature_divides_the_logits(space: LabelSpace) -> None:
    values = logits(4)
    found = space.tempered(space.activation(values).numpy(), 3.0)
    np.testing.assert_allclose(found, space.activation(values / 3.0), atol=1e-5)
    certain = np.array([[1.0, 0.0, 0.0]])
    assert np.isfinite(space.tempered(certain, 0.05)).all()


def test_outcomes_are_one_distribution_a_text_or_one_a_decision() -> None:
    probabilities, wanted = np.array([[0.2, 0.3, 0.5]], np.float32), np.array([[0, 0, 1]])
    distributions, true = SINGLE.outcomes(probabilities, wanted)
    assert (distributions.shape, true.tolist()) == ((1, 3), [2])
    distributions, true = MULTI.outcomes(probabilities, wanted)
    assert true.tolist() == [0, 0, 1]
    np.testing.assert_allclose(distributions, [[0.8, 0.2], [0.7, 0.3], [0.5, 0.5]], atol=1e-6)


def test_confidences() -> None:
    probabilities = np.array([[0.2, 0.3, 0.5], [0.6, 0.2, 0.2]])
    wanted = np.array([[0, 0, 1], [0, 1, 0]])
    confidence, right = SINGLE.confidences(probabilities, wanted)
    assert (confidence.tolist(), right.tolist()) == ([0.5, 0.6], [True, False])
    confidence, right = MULTI.confidences(probabilities, wanted)
    assert confidence.tolist() == probabilities.ravel().tolist()
    assert right.tolist() == [False, False, True, False, True, False]


def test_the_labels_are_kept_as_a_tuple() -> None:
    space = LabelSpace(["a", "b"], multi_label=False)  # type: ignore[arg-type]
    assert space.labels == ("a", "b")
    assert hash(space) == hash(LabelSpace(("a", "b"), multi_label=False))
