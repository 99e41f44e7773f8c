import numpy as np
import pytest

from textrnn.config.choices import UNCERTAINTY_MEASURES
from textrnn.errors import ConfigError
from textrnn.inference.uncertainty import disagreements, uncertainties
from textrnn.models.label_space import LabelSpace
from textrnn.runtime.decision_rule import DecisionRule

SINGLE = LabelSpace(("a", "b", "c"), multi_label=False)
MULTI = LabelSpace(("a", "b"), multi_label=True)


def test_measures_by_hand():
    scores = np.array([[0.5, 0.25, 0.25]])
    entropy = (0.5 * np.log(2) + 0.5 * np.log(4)) / np.log(3)
    for by, expected in [("margin", 0.75), ("entropy", entropy), ("least-confidence", 0.5)]:
        value = uncertainties(scores, label_space=SINGLE, by=by)
        assert value == pytest.approx([expected])


@pytest.mark.parametrize("by", UNCERTAINTY_MEASURES)
def test_a_certain_answer_has_0_and_equal_probabilities_have_the_most(by):
    scores = np.array([[0.0, 1.0, 0.0], [1 / 3, 1 / 3, 1 / 3]], np.float32)
    certain, uncertain = uncertainties(scores, label_space=SINGLE, by=by)
    assert certain == 0
    assert uncertain == pytest.approx(2 / 3 if by == "least-confidence" else 1.0)


def test_margin_and_entropy_differ_in_what_they_find():
    scores = np.array([[0.49, 0.48, 0.03], [0.40, 0.30, 0.30]])
    orders = [
        uncertainties(scores, label_space=SINGLE, by=by).argmax() for by in ("margin", "entropy")
    ]
    assert orders == [0, 1]


@pytest.mark.parametrize("by", UNCERTAINTY_MEASURES)
def test_several_labels_have_the_uncertainty_of_the_least_certain_decision(by):
    values = uncertainties(np.array([[0.99, 0.01], [0.99, 0.45]]), label_space=MULTI, by=by)
    assert values[0] < values[1]
    two = LabelSpace(("a", "b"), multi_label=False)
    same = uncertainties(np.array([[0.55, 0.45]]), label_space=two, by=by)
    assert values[1] == pytest.approx(same[0])


def test_a_label_is_least_certain_at_its_threshold():
    rule = DecisionRule(objective="macro-f1", thresholds=(0.2, 0.9))
    space = LabelSpace(("a", "b"), multi_label=True, rule=rule)
    values = uncertainties(np.array([[0.2, 0.0], [0.0, 0.9], [0.5, 0.5]]), label_space=space)
    assert values[:2] == pytest.approx([1.0, 1.0])
    assert values[2] < 0.5


def test_no_texts_have_no_uncertainties():
    assert uncertainties(np.zeros([0, 3]), label_space=SINGLE).shape == (0,)


def test_an_unknown_measure_is_an_error():
    with pytest.raises(ConfigError, match="`by` must be one of margin, entropy, least-confidence"):
        uncertainties(np.zeros([1, 3]), label_space=SINGLE, by="magic")


def test_disagreement_by_hand():
    answers = np.array([[[0.9, 0.1, 0.0], [0.5, 0.5, 0.0]], [[0.1, 0.9, 0.0], [0.5, 0.5, 0.0]]])
    entropy = -(0.9 * np.log(0.9) + 0.1 * np.log(0.1))
    expected = (np.log(2) - entropy) / np.log(2)
    values = disagreements(answers, label_space=SINGLE)
    assert values == pytest.approx([expected, 0.0])


def test_certain_answers_that_all_differ_have_the_most_disagreement():
    assert disagreements(np.eye(3)[:, np.newaxis], label_space=SINGLE) == pytest.approx([1.0])
    assert disagreements(np.eye(3)[:2, np.newaxis], label_space=SINGLE) == pytest.approx([1.0])


def test_several_labels_have_the_disagreement_of_their_least_agreed_decision():
    answers = np.array([[[0.9, 1.0]], [[0.9, 0.0]]])
    assert disagreements(answers, label_space=MULTI) == pytest.approx([1.0])
    one = LabelSpace(("a",), multi_label=True)
    assert disagreements(answers[:, :, 1:], label_space=one) == pytest.approx([1.0])


def test_one_classifier_has_nobody_to_disagree_with():
    with pytest.raises(ConfigError, match="at least 2 classifiers, got 1"):
        disagreements(np.full([1, 4, 3], 1 / 3), label_space=SINGLE)
    assert disagreements(np.zeros([2, 0, 3]), label_space=SINGLE).shape == (0,)
