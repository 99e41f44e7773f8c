from dataclasses import replace

import numpy as np
import pytest
from tiny import LABELS, finished_run, run_config

from textrnn.errors import ConfigError, DataError
from textrnn.inference.classifier import TrainedClassifier
from textrnn.inference.ensemble import Ensemble, check_same_labels
from textrnn.models.label_space import LabelSpace
from textrnn.runtime.decision_rule import DecisionRule

TEXTS = ["a x b", "y", "", "f e d c b a x"]


@pytest.fixture(scope="module")
def classifier(tmp_path_factory) -> TrainedClassifier:
    return finished_run(tmp_path_factory).classifier


@pytest.fixture(scope="module")
def turned(classifier, tmp_path_factory) -> TrainedClassifier:
    """The classifier whose columns have the other label each: it errs on every text."""
    return TrainedClassifier(
        classifier.model,
        classifier.tokenizer,
        LABELS[::-1],
        run_config(tmp_path_factory.getbasetemp()),
    )


@pytest.mark.usefixtures("eagerly")
def test_the_answer_is_the_mean_of_the_answers(classifier, turned):
    ensemble = Ensemble([classifier, classifier, turned])
    one = classifier.probabilities(TEXTS)
    expected = (2 * one + one[:, ::-1]) / 3
    np.testing.assert_allclose(ensemble.probabilities(TEXTS), expected, rtol=1e-6)
    assert ensemble.labels == LABELS
    predictions = ensemble.predict(TEXTS)
    assert [p.label for p in predictions] == [p.label for p in classifier.predict(TEXTS)]
    assert predictions[0].scores["neg"] == pytest.approx(expected[0, 0])


def test_texts_are_streamed_in_order(classifier):
    answered = list(Ensemble([classifier]).predict_stream(iter(TEXTS)))
    assert [text for text, _ in answered] == TEXTS
    assert [prediction for _, prediction in answered] == classifier.predict(TEXTS)


def test_progress_counts_the_texts_of_each_member(classifier):
    done: list[int] = []
    Ensemble([classifier, classifier]).probabilities(TEXTS, on_batch=done.append)
    assert sum(done) == 2 * len(TEXTS)


def test_there_must_be_a_classifier():
    with pytest.raises(ConfigError, match="at least one"):
        Ensemble([])


def test_the_labels_must_be_the_same():
    one, other = (LabelSpace(names, multi_label=False) for names in (("a", "b"), ("b", "c")))
    with pytest.raises(DataError, match=r"other: expected the labels of one \(a, b\), got c, b"):
        check_same_labels(other, one, name="other", expected_name="one")
    several = LabelSpace(("a", "b"), multi_label=True)
    with pytest.raises(ConfigError, match="only one of them is multi-label"):
        check_same_labels(several, one, name="other", expected_name="one")


@pytest.mark.usefixtures("eagerly")
def test_the_rules_of_the_members_decide_together(classifier, turned):
    rules = [DecisionRule("macro-f1", weights=weights) for weights in ((1.0, 4e6), (1.0, 1.0))]
    first = replace(classifier, rule=rules[0])
    # The labels of the second are in the other order.
    second = replace(turned, rule=rules[0].reordered([1, 0]))
    assert Ensemble([first, second]).label_space.rule.weights == pytest.approx((1.0, 4e6))
    both = Ensemble([first, replace(classifier, rule=rules[1])])
    assert both.label_space.rule.weights == pytest.approx((1.0, 2e3))
    careful = Ensemble([classifier.abstaining(0.9999999)])
    assert [p.abstained for p in careful.predict(TEXTS)] == [
        p.abstained for p in classifier.abstaining(0.9999999).predict(TEXTS)
    ]
    with pytest.raises(ConfigError, match="whose decisions have one objective"):
        Ensemble([first, classifier])


def test_members_that_answer_alike_do_not_disagree(classifier, turned):
    same = Ensemble([classifier, classifier]).disagreements(TEXTS)
    np.testing.assert_allclose(same, 0.0, atol=1e-6)
    other = Ensemble([classifier, turned]).disagreements(TEXTS)
    assert other.shape == (len(TEXTS),)
    assert other[0] > 0.1
    with pytest.raises(ConfigError, match="at least 2 classifiers"):
        Ensemble([classifier]).disagreements(TEXTS)
