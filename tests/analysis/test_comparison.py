import math
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import f1_score
from tiny import finished_run

import textrnn
from textrnn.analysis.comparison import (
    Answers,
    ask,
    compare_answers,
    macro_f1_interval,
    mean_answers,
)
from textrnn.errors import DataError
from textrnn.models.label_space import LabelSpace
from textrnn.runtime.decision_rule import DecisionRule


def answers(labels, *, name="run", confidence=0.9, classes=2) -> Answers:
    """The answers of a classifier with a constant confidence."""
    probabilities = np.full([len(labels), classes], (1 - confidence) / (classes - 1), np.float32)
    probabilities[np.arange(len(labels)), labels] = confidence
    return Answers(name, probabilities, weights=7, file_bytes=9, tokens_per_second=11.0)


def labels_of(count, *, multi_label=False) -> LabelSpace:
    return LabelSpace(tuple(map(str, range(count))), multi_label=multi_label)


def one_hot(labels, classes=2) -> np.ndarray:
    return np.eye(classes, dtype=np.float32)[labels]


def test_macro_f1_is_scikit_learns_and_lies_in_its_interval(rng):
    true, predicted = rng.integers(3, size=200), rng.integers(3, size=200)
    predicted[:120] = true[:120]
    given = answers(predicted, classes=3).probabilities
    interval = macro_f1_interval(given, one_hot(true, 3), label_space=labels_of(3))
    assert interval.value == pytest.approx(f1_score(true, predicted, average="macro"))
    # About 1.96 standard errors of a share of 200 either way.
    assert interval.low == pytest.approx(interval.value - 0.06, abs=0.02)
    assert interval.high == pytest.approx(interval.value + 0.06, abs=0.02)


def test_macro_f1_of_several_labels_is_scikit_learns(rng):
    scores, targets = rng.random([50, 3]), (rng.random([50, 3]) > 0.5).astype(int)
    interval = macro_f1_interval(scores, targets, label_space=labels_of(3, multi_label=True))
    assert interval.value == pytest.approx(f1_score(targets, scores >= 0.5, average="macro"))


def test_runs_side_by_side():
    truth = [0, 0, 0, 0, 1, 1, 1, 1]
    runs = [
        answers(truth, name="a"),
        answers([1, 1, *truth[2:]], name="b"),
        answers([0, *truth[1:7], 0], name="c", confidence=0.6),
    ]
    comparison = compare_answers(
        runs, one_hot(truth), lengths=np.arange(8), label_space=labels_of(2)
    )
    assert comparison.texts == 8
    assert [run.accuracy.value for run in comparison.runs] == [1.0, 0.75, 0.875]
    assert comparison.runs[0].calibration_error == pytest.approx(0.1)
    assert comparison.runs[2].calibration_error == pytest.approx(0.275)
    assert comparison.runs[0].log_loss == pytest.approx(-math.log(0.9), rel=1e-5)
    assert [(p.first, p.second, p.only_first, p.only_second) for p in comparison.pairs] == [
        *(("a", "b", 2, 0), ("a", "c", 1, 0), ("b", "c", 1, 2))
    ]
    assert [pair.p_value for pair in comparison.pairs] == pytest.approx([0.5, 1.0, 1.0])
    assert [pair.adjusted for pair in comparison.pairs] == [1.0, 1.0, 1.0]
    plain = comparison.to_dict()
    assert plain["runs"][0]["weights"] == 7
    assert plain["runs"][1]["accuracy"]["value"] == 0.75
    assert len(plain["runs"][0]["by_length"]) == 5


def test_no_text_is_an_error():
    with pytest.raises(DataError, match="expected at least one labelled text"):
        compare_answers([], np.zeros([0, 2]), lengths=np.zeros(0), label_space=labels_of(2))


def test_a_classifier_is_asked(tmp_path_factory):
    run = finished_run(tmp_path_factory)
    classifier = textrnn.load(run.folder)
    ids = classifier.tokenizer.encode_batch(["a x", "y", "b b x"])
    done: list[int] = []
    result = ask(classifier, ids, name="it", folder=run.folder, on_batch=done.append)
    np.testing.assert_array_equal(result.probabilities, run.classifier.score_ids(ids))
    assert sum(done) == 3
    assert result.weights == run.classifier.model.count_params()
    sizes = [(run.folder / name).stat().st_size for name in ("model.weights.h5", "tokenizer.model")]
    assert result.file_bytes == sum(sizes)
    assert result.tokens_per_second > 0
    assert ask(classifier, ids, name="it").file_bytes is None


def test_each_run_decides_by_its_own_rule():
    truth = [0, 0, 1, 1]
    plain = answers([0, 0, 0, 0], name="plain", confidence=0.6)
    weighed = replace(plain, name="weighed", rule=DecisionRule("macro-f1", weights=(1.0, 2.0)))
    comparison = compare_answers(
        [plain, weighed], one_hot(truth), lengths=np.ones(4), label_space=labels_of(2)
    )
    assert [run.accuracy.value for run in comparison.runs] == [0.5, 0.5]
    assert [(p.only_first, p.only_second) for p in comparison.pairs] == [(2, 2)]
    assert [run.log_loss for run in comparison.runs] == [comparison.runs[0].log_loss] * 2
    assert mean_answers([weighed, weighed], name="mean").rule == weighed.rule
