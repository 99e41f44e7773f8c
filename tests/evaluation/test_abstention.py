"""Accuracy and coverage of a classifier that withholds answers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_examples import examples

from textrnn.evaluation.abstention import abstention_figures, coverage_curve, coverage_sentence
from textrnn.models.label_space import LabelSpace
from textrnn.runtime.decision_rule import DecisionRule


@examples(50)
@given(seed=st.integers(0, 10**6), texts=st.integers(1, 60))
def test_each_point_is_what_its_limit_gives(seed: int, texts: int) -> None:
    rng = np.random.default_rng(seed)
    confidence = (rng.integers(1, 20, texts) / 20).astype(np.float32)
    right = rng.random(texts) < confidence
    curve = coverage_curve(confidence, right)
    assert curve[-1].coverage == 1.0
    assert curve[-1].accuracy == pytest.approx(right.mean())
    for point in curve:
        answered = confidence >= np.float32(point.abstain_below)
        assert point.coverage == pytest.approx(answered.mean())
        assert point.accuracy == pytest.approx(right[answered].mean())
    coverages = [point.coverage for point in curve]
    assert coverages == sorted(set(coverages))


def test_without_texts_there_is_no_curve() -> None:
    assert coverage_curve(np.zeros(0), np.zeros(0, bool)) == ()
    assert coverage_sentence(()) == ""


def test_the_figures_of_a_limit() -> None:
    probabilities = np.array([[0.9, 0.1], [0.4, 0.6], [0.8, 0.2]], np.float32)
    targets = np.eye(2)[[0, 0, 1]]
    rule = DecisionRule(abstain_below=0.7)
    space = LabelSpace(("a", "b"), multi_label=False, rule=rule)
    figures = abstention_figures(probabilities, targets, label_space=space)
    assert figures["abstention"] == {
        "abstain_below": 0.7,
        "coverage": pytest.approx(2 / 3),
        "accuracy": 0.5,
    }
    strict = LabelSpace(("a", "b"), multi_label=False, rule=DecisionRule(abstain_below=0.99))
    nothing = abstention_figures(probabilities, targets, label_space=strict)["abstention"]
    assert (nothing["coverage"], nothing["accuracy"]) == (0.0, None)
    plain = LabelSpace(("a", "b"), multi_label=False)
    assert "abstention" not in abstention_figures(probabilities, targets, label_space=plain)


def test_one_confidence_for_all_texts() -> None:
    curve = coverage_curve(np.full(4, 0.5), np.array([True, True, True, False]))
    assert coverage_sentence(curve) == "It answers all texts with 75.0 % right."
