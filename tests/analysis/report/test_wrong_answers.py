import numpy as np
import pytest
from tiny import finished_run

from textrnn.analysis.report.answered_texts import AnsweredTexts
from textrnn.analysis.report.wrong_answers import Doubts, find_doubts, wrong_answers
from textrnn.data import Split

PROBABILITIES = np.array([[0.9, 0.1], [0.45, 0.55], [0.3, 0.7], [0.2, 0.8]])
TEXTS = ["a", "b", "c " * 400, "d"]


@pytest.fixture(scope="module")
def answered(tmp_path_factory):
    """The first answer is right, the others are wrong."""
    classifier = finished_run(tmp_path_factory).classifier
    split = Split(TEXTS, [("neg",)] * 4)
    targets = np.tile([1.0, 0.0], (4, 1))
    ids = [np.array([1])] * 4
    return AnsweredTexts(classifier, split, ids, PROBABILITIES, targets)


def test_the_surest_wrong_answer_comes_first(answered):
    answers = wrong_answers(answered)
    assert [answer.confidence for answer in answers] == [0.8, 0.7, 0.55]
    assert (answers[0].true, answers[0].predicted, answers[0].text) == (("neg",), ("pos",), "d")
    assert len(answers[1].text) <= 301
    assert answers[1].text.endswith("\u2026")


def test_the_number_of_wrong_answers_is_limited(answered):
    assert [answer.text for answer in wrong_answers(answered, most=1)] == ["d"]


def test_doubts_are_counted_with_the_labels_between_which_the_model_wavers(answered):
    doubts = find_doubts(answered)
    assert doubts == Doubts(texts=1, of=4, right=0, pair=("neg", "pos"), pair_texts=1)
    assert doubts.sentence == (
        "1 text of 4 has an answer with a probability below 60 %; 0 of these answers are right. "
        "Most often it wavers between neg and pos (1)."
    )
    assert doubts.to_dict() == {"texts": 1, "right": 0, "pair": ["neg", "pos"], "in_pair": 1}


def test_a_model_that_is_always_sure_has_no_doubts():
    doubts = Doubts(texts=0, of=4, right=0, pair=None, pair_texts=0)
    assert doubts.sentence == "0 texts of 4 have an answer with a probability below 60 %."
