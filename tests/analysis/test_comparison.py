import math

import numpy as np
import pytest
from sklearn.metrics import f1_score
from tiny import finished_run

import textrnn
from textrnn.analysis.comparison import (
    Answers,
    accuracy_by_length,
    ask,
    compare,
    holm,
    macro_f1_interval,
    mcnemar,
    wilson,
)
from textrnn.errors import DataError
from textrnn.models.label_space import LabelSpace


def answers(labels, *, name="run", confidence=0.9, classes=2) -> Answers:
    """Of a classifier that is always so sure of these labels."""
    probabilities = np.full([len(labels), classes], (1 - confidence) / (classes - 1), np.float32)
    probabilities[np.arange(len(labels)), labels] = confidence
    return Answers(name, probabilities, weights=7, file_bytes=9, tokens_per_second=11.0)


def labels(count, *, multi_label=False) -> LabelSpace:
    return LabelSpace(tuple(map(str, range(count))), multi_label=multi_label)


def one_hot(labels, classes=2) -> np.ndarray:
    return np.eye(classes, dtype=np.float32)[labels]


def test_wilson_by_hand():
    found = wilson(8, 10)
    z, n, p = 1.959963984540054, 10, 0.8
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    assert found.value == 0.8
    assert found.low == pytest.approx(centre - half, rel=1e-9)
    assert found.high == pytest.approx(centre + half, rel=1e-9)


def test_mcnemar_by_hand():
    # 1 of 6 heads or fewer, and as many tails: 2 (1 + 6) / 64.
    assert mcnemar(1, 5) == pytest.approx(2 * 7 / 64)
    assert mcnemar(5, 1) == pytest.approx(2 * 7 / 64)
    assert mcnemar(3, 3) == 1.0
    assert mcnemar(0, 0) == 1.0


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.5]) == [1.0, 1.0]
    assert holm([]) == []


def test_macro_f1_is_scikit_learns_and_lies_in_its_interval(rng):
    true, predicted = rng.integers(3, size=200), rng.integers(3, size=200)
    predicted[:120] = true[:120]
    given = answers(predicted, classes=3).probabilities
    found = macro_f1_interval(given, one_hot(true, 3), label_space=labels(3))
    assert found.value == pytest.approx(f1_score(true, predicted, average="macro"))
    # About 1.96 standard errors of a share of 200 either way.
    assert found.low == pytest.approx(found.value - 0.06, abs=0.02)
    assert found.high == pytest.approx(found.value + 0.06, abs=0.02)


def test_macro_f1_of_several_labels_is_scikit_learns(rng):
    scores, carried = rng.random([50, 3]), (rng.random([50, 3]) > 0.5).astype(int)
    found = macro_f1_interval(scores, carried, label_space=labels(3, multi_label=True))
    assert found.value == pytest.approx(f1_score(carried, scores >= 0.5, average="macro"))


def test_lengths_fall_into_buckets_of_as_many_texts():
    lengths = np.array([5, 1, 2, 3, 4, 6, 7, 8, 9, 10])
    found = accuracy_by_length(lengths > 2, lengths)
    assert [(b.shortest, b.longest, b.texts) for b in found] == [
        *((1, 2, 2), (3, 4, 2), (5, 6, 2), (7, 8, 2), (9, 10, 2))
    ]
    assert [bucket.accuracy.value for bucket in found] == [0.0, 1.0, 1.0, 1.0, 1.0]


def test_texts_of_one_length_share_a_bucket():
    (bucket,) = accuracy_by_length(np.array([True, False, True]), np.array([4, 4, 4]))
    assert (bucket.shortest, bucket.longest, bucket.texts) == (4, 4, 3)
    assert bucket.accuracy == wilson(2, 3)


def test_runs_side_by_side():
    truth = [0, 0, 0, 0, 1, 1, 1, 1]
    runs = [
        answers(truth, name="a"),
        answers([1, 1, *truth[2:]], name="b"),
        answers([0, *truth[1:7], 0], name="c", confidence=0.6),
    ]
    found = compare(runs, one_hot(truth), np.arange(8), label_space=labels(2))
    assert found.texts == 8
    assert [run.accuracy.value for run in found.runs] == [1.0, 0.75, 0.875]
    assert found.runs[0].calibration_error == pytest.approx(0.1)
    assert found.runs[2].calibration_error == pytest.approx(0.275)
    assert found.runs[0].log_loss == pytest.approx(-math.log(0.9), rel=1e-5)
    assert [(p.first, p.second, p.only_first, p.only_second) for p in found.pairs] == [
        *(("a", "b", 2, 0), ("a", "c", 1, 0), ("b", "c", 1, 2))
    ]
    assert [pair.p_value for pair in found.pairs] == pytest.approx([0.5, 1.0, 1.0])
    assert [pair.adjusted for pair in found.pairs] == [1.0, 1.0, 1.0]
    plain = found.to_dict()
    assert plain["runs"][0]["weights"] == 7
    assert plain["runs"][1]["accuracy"]["value"] == 0.75
    assert len(plain["runs"][0]["by_length"]) == 5


def test_no_text_is_an_error():
    with pytest.raises(DataError, match="expected at least one labelled text"):
        compare([], np.zeros([0, 2]), np.zeros(0), label_space=labels(2))


def test_a_classifier_is_asked(tmp_path_factory):
    run = finished_run(tmp_path_factory)
    classifier = textrnn.load(run.folder)
    ids = classifier.tokenizer.encode_batch(["a x", "y", "b b x"])
    told = []
    found = ask(classifier, ids, name="it", folder=run.folder, on_batch=told.append)
    np.testing.assert_array_equal(found.probabilities, run.classifier.score_ids(ids))
    assert sum(told) == 3
    assert found.weights == run.classifier.model.count_params()
    sizes = [(run.folder / name).stat().st_size for name in ("model.weights.h5", "tokenizer.model")]
    assert found.file_bytes == sum(sizes)
    assert found.tokens_per_second > 0
