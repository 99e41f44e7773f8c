import json

import numpy as np
import pytest
from tiny import finished_run, not_none

from textrnn.analysis.report.answered_texts import AnsweredTexts
from textrnn.analysis.report.mistakes import find_mistakes, score
from textrnn.data import Split
from textrnn.errors import DataError
from textrnn.progress import Silent

TEXTS = ["a x", "b y", "c x", "", "y"]


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    return finished_run(tmp_path_factory).classifier


@pytest.fixture(scope="module")
def answered(classifier):
    """The third text has the wrong label."""
    labels = [("pos",), ("neg",), ("neg",), ("pos",), ("neg",)]
    return AnsweredTexts.of(classifier, Split(TEXTS, labels), reporter=Silent())


def test_the_answers_are_those_of_the_classifier(answered, classifier):
    np.testing.assert_allclose(answered.probabilities, classifier.probabilities(TEXTS), atol=1e-6)
    assert answered.right[:3].tolist() == [True, True, False]
    assert answered.predicted.sum(axis=1).tolist() == [1] * 5
    assert answered.losses.argmax() == 2
    assert [len(text) for text in answered.ids][3] == 0


def test_an_unknown_label_is_an_error(classifier):
    with pytest.raises(DataError, match="expected the labels neg, pos, got 'odd'"):
        AnsweredTexts.of(classifier, Split(["a"], [("odd",)]), reporter=Silent())


def test_the_figures_are_those_of_the_answers(answered):
    scored = score(answered)
    assert scored.accuracy.value == answered.right.mean()
    assert not_none(scored.confusion).matrix()[0, 1] == 1
    assert scored.per_label[:, 3].tolist() == [3, 2]
    assert sum(bucket.texts for bucket in scored.by_length) == 5
    assert json.loads(json.dumps(scored.to_dict()))["log_loss"] == scored.log_loss


@pytest.mark.usefixtures("eagerly")
def test_the_worst_mistake_comes_first_and_is_explained(answered):
    done: list[int] = []
    mistakes = find_mistakes(answered, on_mistake=done.append)
    assert mistakes.count == (~answered.right).sum()
    worst = mistakes.worst[0]
    assert (worst.true, worst.predicted) == (("neg",), ("pos",))
    assert worst.attribution.text == "c x"
    assert worst.attribution.label == "pos"
    assert len(done) == len(mistakes.worst)
