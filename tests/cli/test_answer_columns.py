import pytest

from textrnn.cli.answer_columns import (
    AnswerColumns,
    ColumnOptions,
    free_names,
    renamed_notices,
    shortest,
)
from textrnn.cli.answering_run import AnsweringRun
from textrnn.cli.answers import Answer, AnswerOptions
from textrnn.inference.classifier import Prediction

pytestmark = pytest.mark.usefixtures("eagerly")

PREDICTION = Prediction("pos", 0.75, {"neg": 0.25, "pos": 0.75}, ("pos",))


def cells(finished, answer, *, figures=None, **options):
    run = AnsweringRun(finished.folder, finished.classifier)
    columns = AnswerColumns.of(run, ColumnOptions(**options), separator=";", figures=figures)
    return dict(zip(columns.types, columns.cells(answer), strict=True)), columns.types


def test_an_answer_is_label_and_score(finished):
    assert cells(finished, Answer("x", PREDICTION))[0] == {"label": "pos", "score": 0.75}


def test_labels_are_ranked(finished):
    values, types = cells(finished, Answer("x", PREDICTION), top_k=5)
    assert values == {"label": "pos", "score": 0.75, "label_2": "neg", "score_2": 0.25}
    assert list(types.values()) == [str, float, str, float]


def test_the_other_labels_follow_that_which_a_rule_prefers_to_a_more_probable_one(finished):
    values, _ = cells(
        finished, Answer("x", Prediction("neg", 0.25, PREDICTION.scores, ("neg",))), top_k=2
    )
    assert values == {"label": "neg", "score": 0.25, "label_2": "pos", "score_2": 0.75}


def test_each_label_has_its_score(finished):
    values, _ = cells(finished, Answer("x", PREDICTION), all_scores=True)
    assert {name: values[name] for name in list(values)[2:]} == {
        "score:neg": 0.25,
        "score:pos": 0.75,
    }


def test_tokens_are_counted(finished):
    values, types = cells(finished, Answer("x b", PREDICTION), token_counts=True)
    assert values["tokens"] == len(finished.classifier.tokenizer.encode("x b"))
    assert (values["tokens_cut"], types["tokens_cut"]) == (0, int)


def test_the_strongest_words_have_their_scores(finished):
    values, _ = cells(finished, Answer("b x c", PREDICTION), explain_words=1)
    assert str(values["words"]).startswith("x (+")
    assert cells(finished, Answer(" ", PREDICTION), explain_words=1)[0]["words"] is None


def test_figures_are_columns(finished):
    figures = AnswerOptions(confident=0.9).figures
    assert figures == {"tokens_read": int, "tokens": int}
    answer = Answer("x", PREDICTION, {"tokens_read": 1, "tokens": 2})
    assert cells(finished, answer, figures=figures)[0]["tokens_read"] == 1
    assert set(AnswerOptions(with_likelihood=True).figures) == {
        *("log_likelihood", "bits_per_token", "unusual")
    }


def test_several_labels_are_joined_and_none_is_empty(finished):
    several = Prediction("a", 0.9, {"neg": 0.1, "pos": 0.9}, ("pos", "neg"))
    assert cells(finished, Answer("x", several))[0]["label"] == "pos;neg"
    none = Prediction("a", 0.2, {"neg": 0.1, "pos": 0.2}, ())
    assert cells(finished, Answer("x", none))[0] == {"label": None, "score": 0.2}


def test_names_that_the_input_has_are_changed_and_reported():
    names = ["label", "score", "error"]
    free = free_names(names, ["text", "label", "error", "predicted_error"])
    assert free == ["predicted_label", "score", "predicted_error_2"]
    (notice,) = renamed_notices(names, free)
    assert "'predicted_label' instead of 'label', 'predicted_error_2' instead of 'error'" in notice
    assert renamed_notices(names, names) == []


@pytest.mark.parametrize("score", [0.1, 0.98461217, 1.0, 1e-8])
def test_scores_have_the_digits_of_single_precision(score):
    import numpy as np

    assert shortest(float(np.float32(score))) == score
