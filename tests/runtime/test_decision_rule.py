"""The rule that turns probabilities into answers."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from random_examples import examples

from textrnn.errors import ConfigError
from textrnn.models.label_space import LabelSpace
from textrnn.runtime.decision_rule import DecisionRule

LABELS = ("a", "b", "c")
P = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]], np.float32)
RULES = (
    DecisionRule(),
    DecisionRule("macro-f1", weights=(1.0, 2.0, 0.5)),
    DecisionRule("cost", costs=((0.0, 1.0, 5.0), (2.0, 0.0, 1.0), (0.5, 3.0, 0.0))),
    DecisionRule("macro-f1", thresholds=(0.2, 0.35, 0.7)),
    DecisionRule("accuracy", abstain_below=0.6),
    DecisionRule("macro-f1", thresholds=(0.2, 0.35, 0.7), abstain_below=0.4),
)


def space(rule: DecisionRule) -> LabelSpace:
    return LabelSpace(LABELS, multi_label=bool(rule.thresholds), rule=rule)


def test_weights_multiply_the_probabilities() -> None:
    assert space(DecisionRule(weights=(1.0, 2.0, 1.0))).best(P).tolist() == [1, 2]


def test_costs_are_expected_costs_of_the_answers() -> None:
    costs = ((0.0, 1.0, 1.0), (9.0, 0.0, 9.0), (1.0, 1.0, 0.0))
    ours = space(DecisionRule("cost", costs=costs))
    expected = P @ np.array(costs)
    assert ours.best(P).tolist() == expected.argmin(axis=1).tolist() == [1, 1]


def test_thresholds_decide_about_each_label() -> None:
    ours = space(DecisionRule(thresholds=(0.6, 0.3, 0.1)))
    assert ours.decide(P).tolist() == [[False, True, True], [False, False, True]]
    # The most probable label of the answer, though another one is more probable.
    assert ours.best(P).tolist() == [1, 2]


def test_an_answer_below_the_limit_is_withheld() -> None:
    ours = space(DecisionRule(abstain_below=0.6))
    assert ours.answered(P).tolist() == [False, True]
    # The probability of the answer is that of the decided label, not of the most probable one.
    weighed = space(DecisionRule(weights=(1.0, 9.0, 1.0), abstain_below=0.3))
    assert weighed.answer_probabilities(P).tolist() == pytest.approx([0.3, 0.2])
    assert weighed.answered(P).tolist() == [True, False]


def test_a_multi_label_answer_is_as_probable_as_its_least_certain_decision() -> None:
    ours = space(DecisionRule(thresholds=(0.4, 0.4, 0.4)))
    assert ours.answer_probabilities(P).tolist() == pytest.approx([0.5, 0.7])


@pytest.mark.parametrize("rule", RULES)
@examples(25)
@given(seed=st.integers(0, 10_000))
def test_a_graph_decides_as_numpy_does(rule: DecisionRule, seed: int) -> None:
    ours = space(rule)
    logits = np.random.default_rng(seed).normal(size=(6, 3)).astype(np.float32)
    probabilities = ours.activation(logits).numpy()
    best, decided, answered = ours.answers_in_graph(tf.constant(probabilities))
    assert best.numpy().tolist() == ours.best(probabilities).tolist()
    assert decided.numpy().tolist() == ours.decide(probabilities).tolist()
    assert answered.numpy().tolist() == ours.answered(probabilities).tolist()


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_read_back_for_labels_in_any_order(rule: DecisionRule) -> None:
    plain = rule.to_dict(LABELS)
    assert DecisionRule.from_dict(plain, LABELS) == rule
    places = [2, 0, 1]
    other = DecisionRule.from_dict(plain, [LABELS[place] for place in places])
    assert other == rule.reordered(places)
    moved = LabelSpace(tuple("cab"), multi_label=bool(rule.thresholds), rule=other)
    assert moved.decide(P[:, places]).tolist() == space(rule).decide(P)[:, places].tolist()


def test_the_mean_of_rules() -> None:
    first, second = (DecisionRule("macro-f1", weights=w) for w in ((1.0, 4.0), (1.0, 1.0)))
    assert DecisionRule.mean([first, second]).weights == pytest.approx((1.0, 2.0))
    assert DecisionRule.mean([first]) == first
    plain = DecisionRule("macro-f1")
    assert DecisionRule.mean([first, plain]).weights == pytest.approx((1.0, 2.0))
    with pytest.raises(ConfigError, match="one objective and the same costs, got macro-f1, acc"):
        DecisionRule.mean([first, DecisionRule()])


@pytest.mark.parametrize("rule", RULES)
def test_the_instruction_names_what_a_program_needs(rule: DecisionRule) -> None:
    text = rule.instruction(multi_label=bool(rule.thresholds))
    for name in ("weights", "costs", "thresholds", "abstain_below"):
        assert (name in text) == bool(getattr(rule, name))
