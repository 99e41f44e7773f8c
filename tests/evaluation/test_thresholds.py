"""The threshold of a label, against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_examples import examples

from textrnn.config.decisions import Objective
from textrnn.evaluation.thresholds import Sweep, cuts

OBJECTIVES = [Objective("macro-f1"), Objective("precision", 0.6), Objective("recall", 0.7)]


def figures(scores: np.ndarray, positive: np.ndarray, threshold: float) -> tuple[float, ...]:
    chosen = scores >= np.float32(threshold)
    right = int((chosen & positive).sum())
    precision = right / max(int(chosen.sum()), 1)
    recall = right / max(int(positive.sum()), 1)
    f1 = 2 * right / max(int(chosen.sum() + positive.sum()), 1)
    return precision, recall, f1


def value(objective: Objective, precision: float, recall: float, f1: float) -> tuple[float, ...]:
    """The values that a threshold maximizes, the most important first."""
    level = objective.level or 0.0
    if objective.name == "precision":
        return (recall >= level - 1e-12, precision, recall)
    if objective.name == "recall":
        attained = precision >= level - 1e-12
        return (attained, recall if attained else precision, recall)
    return (f1,)


@pytest.mark.parametrize("objective", OBJECTIVES, ids=str)
@examples(60)
@given(seed=st.integers(0, 10**6), texts=st.integers(1, 12))
def test_no_threshold_is_better(objective: Objective, seed: int, texts: int) -> None:
    rng = np.random.default_rng(seed)
    scores = (rng.integers(0, 8, texts) / 7).astype(np.float32)
    positive = rng.random(texts) < 0.5
    sweep = Sweep.of_probabilities(scores, positive)
    place = sweep.best(objective, near=0.5)
    threshold = float(sweep.thresholds[place])
    ours = value(objective, *figures(scores, positive, threshold))
    every = [value(objective, *figures(scores, positive, t)) for t in np.linspace(-0.01, 1.01, 205)]
    assert ours == pytest.approx(max(every))
    # The figures of the sweep are those of its threshold.
    expected = figures(scores, positive, threshold)
    found = (sweep.precision[place], sweep.recall[place], sweep.f1[place])
    assert found == pytest.approx(expected)


def test_of_equal_thresholds_the_one_nearest_to_the_default_is_taken() -> None:
    scores, positive = np.array([0.9, 0.6, 0.1], np.float32), np.array([True, True, False])
    sweep = Sweep.of_probabilities(scores, positive)
    assert sweep.thresholds[sweep.best(Objective("macro-f1"), near=0.5)] == pytest.approx(0.35)


def test_neighbouring_numbers_of_float32_are_told_apart() -> None:
    low = np.float32(0.7)
    high = np.nextafter(low, np.float32(1))
    thresholds, chosen = cuts(np.array([low, high]), ends=(0.0, 1.0))
    for threshold, count in zip(thresholds, chosen, strict=True):
        assert (np.array([low, high]) >= np.float32(threshold)).sum() == count
