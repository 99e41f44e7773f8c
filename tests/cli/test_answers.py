import dataclasses
import json

import pytest

from textrnn.cli.answering_run import AnsweringRun
from textrnn.cli.answers import (
    Answer,
    AnswerOptions,
    answer_texts,
    json_line,
    label_separator,
    text_line,
)
from textrnn.cli.texts import BadRow
from textrnn.errors import ConfigError
from textrnn.inference.classifier import Prediction

ONE = Prediction("pos", 0.75, {"neg": 0.25, "pos": 0.75}, ("pos",))
BOTH = Prediction("pos", 0.75, {"neg": 0.625, "pos": 0.75}, ("pos", "neg"))
NONE = Prediction("pos", 0.25, {"neg": 0.125, "pos": 0.25}, ())


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (Answer("a", ONE), "pos\t0.7500\ta"),
        (Answer("a\nb\t x\n", ONE), "pos\t0.7500\ta b x"),
        (Answer("a", BOTH), "pos;neg\t0.7500;0.6250\ta"),
        (Answer("a", NONE), "-\t0.2500\ta"),
        (Answer("a", Prediction("b\tc", 0.5, {"b\tc": 0.5}, ("b\tc",))), "b c\t0.5000\ta"),
        (
            Answer("a", ONE, {"bits_per_token": 2.5, "unusual": False}),
            "pos\t0.7500\t2.50 bits\ta",
        ),
        (
            Answer("a", ONE, {"bits_per_token": 2.5, "unusual": True}),
            "pos\t0.7500\t2.50 bits, unusual\ta",
        ),
        (BadRow("a.csv:2: expected\n1"), "\t\ta.csv:2: expected 1"),
    ],
)
def test_a_line_has_its_columns(answer, line):
    assert text_line(answer, separator=";") == line


def test_a_json_line_has_text_prediction_and_figures():
    line = json_line(Answer("é", BOTH, {"tokens": 3}))
    assert "é" in line
    assert json.loads(line) == {"text": "é", **BOTH.to_dict(), "tokens": 3}
    assert json.loads(json_line(Answer("a", NONE)))["label"] is None
    assert json.loads(json_line(BadRow("no"))) == {"text": None, "label": None, "error": "no"}


@pytest.mark.parametrize(
    ("labels", "separator"),
    [
        (("a", "b"), ","),
        (("a, b", "c"), ";"),
        (("a,;|b", "c"), " | "),
        (("a,;b | c", "d"), " || "),
    ],
)
def test_labels_are_separated_by_what_none_contains(finished, labels, separator):
    classifier = dataclasses.replace(finished.classifier, labels=labels)
    assert label_separator(classifier) == separator


def test_texts_are_answered_in_order(finished):
    run = AnsweringRun(finished.folder, finished.classifier)
    answers = list(answer_texts(run, ["x", "y"], AnswerOptions()))
    assert [answer.text for answer in answers] == ["x", "y"]
    expected = finished.classifier.predict(["x", "y"])
    assert [answer.prediction.label for answer in answers] == [p.label for p in expected]
    assert all(answer.figures == {} for answer in answers)


def test_likelihoods_need_a_language_model(finished):
    run = AnsweringRun(finished.folder, finished.classifier)
    with pytest.raises(ConfigError, match="by --language-model"):
        list(answer_texts(run, ["x"], AnswerOptions(with_likelihood=True)))
