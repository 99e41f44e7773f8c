"""Weights of labels for the macro F1, against brute force."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_examples import examples

from textrnn.evaluation.label_weights import fit_label_weights


def macro_f1(true: np.ndarray, predicted: np.ndarray, *, classes: int) -> float:
    """The mean F1 of all classes, of which those without texts and answers have 0."""
    right = np.bincount(true[true == predicted], minlength=classes)
    either = np.bincount(true, minlength=classes) + np.bincount(predicted, minlength=classes)
    return float((2 * right / np.maximum(either, 1)).mean())


def answers(probabilities: np.ndarray, logs: np.ndarray) -> np.ndarray:
    return (np.log(probabilities) + logs).argmax(axis=1)


def drawn(seed: int, texts: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(classes), texts), rng.integers(0, classes, texts)


@pytest.mark.thorough
@examples(40)
@given(seed=st.integers(0, 10**6), texts=st.integers(2, 14))
def test_no_weight_of_two_labels_is_better(seed: int, texts: int) -> None:
    probabilities, true = drawn(seed, texts, 2)
    ours = fit_label_weights(probabilities, true)
    every = [
        macro_f1(true, answers(probabilities, np.array([0.0, log])), classes=2)
        for log in np.linspace(-12, 12, 4001)
    ]
    assert macro_f1(true, answers(probabilities, ours), classes=2) >= max(every) - 1e-9


@examples(25)
@given(seed=st.integers(0, 10**6))
def test_more_labels_never_lose(seed: int) -> None:
    probabilities, true = drawn(seed, 12, 3)
    ours = macro_f1(true, answers(probabilities, fit_label_weights(probabilities, true)), classes=3)
    assert ours >= macro_f1(true, probabilities.argmax(axis=1), classes=3) - 1e-9


def test_more_labels_come_near_to_the_best() -> None:
    grid, shares = np.linspace(-4, 4, 17), []
    for seed in range(25):
        probabilities, true = drawn(seed, 12, 3)
        weights = fit_label_weights(probabilities, true)
        best = max(
            macro_f1(true, answers(probabilities, np.array([0.0, *logs])), classes=3)
            for logs in itertools.product(grid, grid)
        )
        shares.append(macro_f1(true, answers(probabilities, weights), classes=3) / best)
    # One weight after another may end beside the best of all: of random texts, seldom far from it.
    assert np.mean(shares) > 0.98
    assert np.mean(np.array(shares) > 0.9) > 0.9


def test_a_rare_label_gains() -> None:
    probabilities = np.array([[0.9, 0.1]] * 18 + [[0.65, 0.35]] * 2)
    true = np.array([0] * 18 + [1] * 2)
    logs = fit_label_weights(probabilities, true)
    assert answers(probabilities, logs).tolist() == true.tolist()


def test_what_is_right_stays() -> None:
    probabilities = np.eye(3) * 0.4 + 0.2
    assert fit_label_weights(probabilities, np.arange(3)).tolist() == [0, 0, 0]
    assert fit_label_weights(np.ones((4, 1)), np.zeros(4, int)).tolist() == [0]
