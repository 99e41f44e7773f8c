"""The weights of recurrence and n-grams in a classifier, and its calibration."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from textrnn.models.label_space import LabelSpace
from textrnn.training.run.mixture import fit_mixture

SPACE = LabelSpace(("a", "b", "c"), multi_label=False)
TWO = LabelSpace(("a", "b"), multi_label=False)
MULTI = LabelSpace(("a", "b"), multi_label=True)


def test_the_mixture_trusts_what_is_right() -> None:
    rng = np.random.default_rng(0)
    targets = np.eye(3, dtype=np.float32)[rng.integers(0, 3, 300)]
    good = 4 * targets + rng.normal(size=targets.shape)
    noise = rng.normal(size=targets.shape)
    mixture = fit_mixture(good, noise, targets, label_space=SPACE)
    assert mixture.rnn > 5 * mixture.ngrams
    mixture = fit_mixture(noise, good, targets, label_space=SPACE)
    assert mixture.ngrams > 5 * mixture.rnn


@pytest.mark.parametrize("space", [TWO, MULTI])
def test_the_mixture_lowers_the_log_loss(space: LabelSpace) -> None:
    rng = np.random.default_rng(0)
    targets = np.eye(2, dtype=np.float32)[rng.integers(0, 2, 300)]
    first, second = (2 * targets - 1 + rng.normal(size=targets.shape) for _ in range(2))

    def loss(logits: np.ndarray) -> float:
        probabilities = space.activation(tf.constant(logits)).numpy()
        return float(space.log_loss(probabilities, targets).mean())

    mixture = fit_mixture(first, second, targets, label_space=space)
    mixed = loss(mixture.rnn * first + mixture.ngrams * second)
    assert mixed < min(loss(first), loss(second), loss(first + second) + 0.01)


def test_without_texts_the_prior_decides() -> None:
    empty = np.zeros([0, 3], np.float32)
    mixture = fit_mixture(empty, empty, empty, label_space=SPACE)
    assert (mixture.rnn, mixture.ngrams) == pytest.approx((0.7, 0.7))


def test_the_mixture_reports_its_loss() -> None:
    targets = np.eye(3, dtype=np.float32)[np.arange(300) % 3]
    noise = np.random.default_rng(0).normal(size=targets.shape)
    losses = [
        fit_mixture(noise, share * targets, targets, label_space=SPACE).loss
        for share in (0.0, 1.0, 5.0)
    ]
    assert np.log(3) + 0.1 > losses[0] > losses[1] > losses[2] > 0


# Calibration


def drawn(space: LabelSpace, *, texts: int = 5000) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and labels that are drawn with their probabilities."""
    rng = np.random.default_rng(0)
    logits = 2 * rng.normal(size=(texts, len(space.labels)))
    p = space.activation(tf.constant(logits)).numpy()
    if space.multi_label:
        return logits, (rng.random(p.shape) < p).astype(np.float32)
    classes = (p.cumsum(axis=1) > rng.random((texts, 1))).argmax(axis=1)
    return logits, np.eye(p.shape[1], dtype=np.float32)[classes]


@pytest.mark.parametrize("space", [SPACE, MULTI], ids=["single", "multi"])
@pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0])
def test_the_temperature_that_made_the_labels_is_found(
    space: LabelSpace, temperature: float
) -> None:
    logits, targets = drawn(space)
    mixture = fit_mixture(logits * temperature, None, targets, label_space=space)
    assert mixture.temperature == pytest.approx(temperature, rel=0.08)
    assert (mixture.ngrams, mixture.prior) == (0.0, 0.0)


def test_few_texts_move_the_temperature_little() -> None:
    targets = np.eye(2, dtype=np.float32)[[0, 1, 0, 1]]
    right = 10.0 * (targets - 0.5)
    assert 1 / 1.3 < fit_mixture(right, None, targets, label_space=TWO).temperature < 1
    wrong = fit_mixture(-right, None, targets, label_space=TWO)
    assert 1 < wrong.temperature <= 20


def test_a_prior_that_was_taken_from_the_logits_is_given_back() -> None:
    logits, _ = drawn(SPACE)
    log_prior = np.log([0.9, 0.08, 0.02])
    rng = np.random.default_rng(1)
    p = SPACE.activation(tf.constant(logits + log_prior)).numpy()
    classes = (p.cumsum(axis=1) > rng.random((len(p), 1))).argmax(axis=1)
    targets = np.eye(3, dtype=np.float32)[classes]
    mixture = fit_mixture(logits, None, targets, label_space=SPACE, log_prior=log_prior)
    assert (mixture.rnn, mixture.prior) == pytest.approx((1.0, 1.0), abs=0.1)
