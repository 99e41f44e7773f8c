import json

import numpy as np
import pytest
from sklearn import metrics as sk

from textrnn.evaluation.metrics import evaluate, expected_calibration_error, log_loss
from textrnn.models.label_space import LabelSpace

LABELS = ("a", "b", "c")
EYE = np.eye(3, dtype=np.float32)


def one_hot(*classes: int) -> np.ndarray:
    return EYE[list(classes)]


def random_case(rng: np.random.Generator, *, texts: int = 50) -> tuple[np.ndarray, np.ndarray]:
    probabilities = rng.dirichlet(np.ones(3), size=texts).astype(np.float32)
    return probabilities, one_hot(*rng.integers(0, 3, size=texts))


def test_a_small_case_by_hand():
    probabilities = np.array([[0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.1, 0.8, 0.1], [0.2, 0.5, 0.3]])
    result = evaluate(
        probabilities, one_hot(0, 1, 1, 2), label_space=LabelSpace(LABELS, multi_label=False)
    )
    assert result["texts"] == 4
    assert result["accuracy"] == 0.5
    assert result["confusion_matrix"] == [[1, 0, 0], [1, 1, 0], [0, 1, 0]]
    assert result["per_class"]["a"] == {
        "precision": 0.5,
        "recall": 1.0,
        "f1": pytest.approx(2 / 3),
        "support": 1,
    }
    assert result["per_class"]["b"] == {"precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 2}
    assert result["per_class"]["c"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 1}
    assert result["macro_f1"] == pytest.approx((2 / 3 + 0.5 + 0) / 3)
    assert result["log_loss"] == pytest.approx(-np.log([0.7, 0.3, 0.8, 0.3]).mean())
    # Four bins of one text each, but that 0.7 and 0.6 differ: |1-.7| + |0-.6| + |1-.8| + |0-.5|.
    assert result["calibration_error"] == pytest.approx((0.3 + 0.6 + 0.2 + 0.5) / 4)
    assert "micro_f1" not in result


def test_the_figures_are_those_of_scikit_learn(rng):
    probabilities, targets = random_case(rng)
    true, predicted = targets.argmax(axis=1), probabilities.argmax(axis=1)
    result = evaluate(probabilities, targets, label_space=LabelSpace(LABELS, multi_label=False))
    assert result["accuracy"] == pytest.approx(sk.accuracy_score(true, predicted))
    assert result["macro_f1"] == pytest.approx(sk.f1_score(true, predicted, average="macro"))
    assert result["log_loss"] == pytest.approx(
        -np.log(probabilities[np.arange(50), true]).mean(), rel=1e-5
    )
    report = sk.classification_report(true, predicted, target_names=LABELS, output_dict=True)
    for label in LABELS:
        for name, ours in result["per_class"][label].items():
            assert ours == pytest.approx(report[label]["f1-score" if name == "f1" else name])


def test_a_class_that_never_occurs_keeps_its_place():
    probabilities = np.array([[0.9, 0.1, 0.0], [0.8, 0.1, 0.1]], np.float32)
    result = evaluate(
        probabilities, one_hot(0, 0), label_space=LabelSpace(LABELS, multi_label=False)
    )
    assert result["confusion_matrix"] == [[2, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert [figures["support"] for figures in result["per_class"].values()] == [2, 0, 0]
    assert result["macro_f1"] == 1.0  # Nothing is known about the other two.


def test_a_certain_wrong_answer_costs_a_finite_loss():
    probabilities = np.array([[1.0, 0.0, 0.0]], np.float32)
    assert (
        15
        < log_loss(probabilities, one_hot(1), label_space=LabelSpace(LABELS, multi_label=False))
        < 50
    )


def test_multi_label_by_hand():
    probabilities = np.array([[0.9, 0.6, 0.2], [0.1, 0.4, 0.5], [0.3, 0.2, 0.1]])
    targets = np.array([[1, 1, 0], [0, 1, 1], [0, 0, 0]], np.float32)
    result = evaluate(probabilities, targets, label_space=LabelSpace(LABELS, multi_label=True))
    assert result["texts"] == 3
    assert result["accuracy"] == pytest.approx(2 / 3)  # All labels of a text right: 0.5 counts.
    assert [figures["support"] for figures in result["per_class"].values()] == [1, 2, 1]
    assert [figures["f1"] for figures in result["per_class"].values()] == [
        1.0,
        pytest.approx(2 / 3),
        1.0,
    ]
    assert result["macro_f1"] == pytest.approx((1 + 2 / 3 + 1) / 3)
    assert result["micro_f1"] == pytest.approx(2 * 3 / (2 * 3 + 1))
    right = np.where(targets > 0, probabilities, 1 - probabilities)
    assert result["log_loss"] == pytest.approx(-np.log(right).mean())
    assert not {"confusion_matrix", "confusion_counts", "top_confusions"} & set(result)


def test_multi_label_of_one_label():
    probabilities = np.array([[0.9], [0.6], [0.2], [0.4], [0.8]])
    targets = np.array([[1], [0], [0], [1], [1]], np.float32)
    result = evaluate(probabilities, targets, label_space=LabelSpace(("x",), multi_label=True))
    f1 = pytest.approx(2 / 3)  # 2 of 3 answers are right, 2 of 3 texts are found.
    assert result["per_class"] == {"x": {"precision": f1, "recall": f1, "f1": f1, "support": 3}}
    assert result["macro_f1"] == result["micro_f1"] == f1
    assert result["accuracy"] == pytest.approx(3 / 5)
    right = np.where(targets > 0, probabilities, 1 - probabilities)
    assert result["log_loss"] == pytest.approx(-np.log(right).mean())
    # Bins of 0.9, 0.6, 0.2, 0.4 and 0.8.
    errors = abs(1 - 0.9) + 0.6 + 0.2 + abs(1 - 0.4) + abs(1 - 0.8)
    assert result["calibration_error"] == pytest.approx(errors / 5)


@pytest.mark.parametrize("labels", [0.0, 1.0])
def test_multi_label_of_one_label_that_is_always_the_same(labels):
    targets = np.full((3, 1), labels, np.float32)
    result = evaluate(targets, targets, label_space=LabelSpace(("x",), multi_label=True))
    assert result["per_class"]["x"]["support"] == 3 * labels
    assert result["macro_f1"] == result["micro_f1"] == labels
    assert result["accuracy"] == 1.0


def many(labels: int) -> dict:
    """Label 7 is taken for 8 three times and for 9 once; else all is right, two texts a label."""
    true = np.concatenate([np.repeat(np.arange(labels), 2), [7, 7, 7, 7]])
    answered = np.concatenate([np.repeat(np.arange(labels), 2), [8, 8, 8, 9]])
    names = tuple(f"label {i}" for i in range(labels))
    one_hot = np.eye(labels, dtype=np.float32)
    return evaluate(
        one_hot[answered], one_hot[true], label_space=LabelSpace(names, multi_label=False)
    )


def test_of_many_labels_the_confusions_are_sparse():
    result = many(1500)
    assert "confusion_matrix" not in result
    assert len(result["confusion_counts"]) == 1502
    assert [count for count in result["confusion_counts"] if count[0] == 7] == [
        [7, 7, 2],
        [7, 8, 3],
        [7, 9, 1],
    ]
    assert len(json.dumps(result)) < 200_000


@pytest.mark.parametrize("labels", [12, 50, 51, 1500])
def test_the_most_frequent_confusions_are_named(labels):
    result = many(labels)
    assert ("confusion_matrix" in result) == (labels <= 50)
    assert result["top_confusions"] == [
        {"true": "label 7", "predicted": "label 8", "texts": 3},
        {"true": "label 7", "predicted": "label 9", "texts": 1},
    ]


def test_multi_label_without_any_label():
    result = evaluate(
        np.full((2, 3), 0.1), np.zeros((2, 3)), label_space=LabelSpace(LABELS, multi_label=True)
    )
    assert result["accuracy"] == 1.0
    assert result["macro_f1"] == result["micro_f1"] == 0.0


@pytest.mark.parametrize("multi_label", [False, True])
def test_the_figures_are_plain_values(rng, multi_label):
    probabilities, targets = random_case(rng, texts=5)
    result = evaluate(
        probabilities, targets, label_space=LabelSpace(LABELS, multi_label=multi_label)
    )
    assert json.loads(json.dumps(result)) == result


# Calibration


def test_the_calibration_error_weighs_each_bin_by_its_texts():
    # Bin 13 (0.867 .. 0.933): 3 of 4 right at 0.92. Bin 9 (0.6 .. 0.667): 0 of 1 at 0.62.
    confidence = np.array([0.92, 0.92, 0.92, 0.92, 0.62])
    probabilities = np.stack([confidence, 1 - confidence], axis=1)
    targets = np.eye(2)[[0, 0, 0, 1, 1]]
    error = expected_calibration_error(
        probabilities, targets, label_space=LabelSpace(LABELS, multi_label=False)
    )
    assert error == pytest.approx(4 / 5 * abs(0.75 - 0.92) + 1 / 5 * 0.62)


def test_errors_within_a_bin_cancel_out():
    confidence = np.array([0.72, 0.72, 0.68, 0.68, 0.7] * 2)  # Bin 10: 0.667 .. 0.733.
    probabilities = np.stack([confidence, 1 - confidence], axis=1)
    targets = np.eye(2)[[0] * 7 + [1] * 3]
    error = expected_calibration_error(
        probabilities, targets, label_space=LabelSpace(LABELS, multi_label=False)
    )
    assert error == pytest.approx(0.0, abs=1e-12)


def test_certainty_falls_into_the_last_bin():
    probabilities = np.array([[1.0, 0.0], [0.95, 0.05]])
    targets = np.eye(2)[[1, 0]]
    error = expected_calibration_error(
        probabilities, targets, label_space=LabelSpace(LABELS, multi_label=False)
    )
    assert error == pytest.approx((1 - 0.05) / 2)


def test_multi_label_calibration_is_of_each_decision():
    probabilities = np.array([[0.9, 0.1], [0.9, 0.3]])
    targets = np.array([[1, 0], [0, 0]])
    error = expected_calibration_error(
        probabilities, targets, label_space=LabelSpace(LABELS, multi_label=True)
    )
    assert error == pytest.approx((2 * abs(0.5 - 0.9) + 0.1 + 0.3) / 4)
