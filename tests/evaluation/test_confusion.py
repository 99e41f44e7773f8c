import doctest

import numpy as np
import pytest
from tiny import not_none

from textrnn.evaluation import confusion
from textrnn.evaluation.class_figures import class_figures, shown_classes
from textrnn.evaluation.confusion import Confusion

LABELS = ("a", "b", "c", "d")
TRUE = np.array([0, 0, 0, 1, 1, 2, 3])
ANSWERED = np.array([0, 1, 1, 1, 2, 2, 0])


@pytest.fixture
def counts() -> Confusion:
    return Confusion.of(TRUE, ANSWERED, labels=LABELS)


def test_the_examples_of_the_docstrings():
    assert doctest.testmod(confusion).failed == 0


def test_the_matrix_is_that_of_scikit_learn(counts):
    from sklearn.metrics import confusion_matrix

    expected = confusion_matrix(TRUE, ANSWERED)
    np.testing.assert_array_equal(counts.matrix(), expected)
    np.testing.assert_array_equal(counts.matrix([0, 2]), expected[np.ix_([0, 2], [0, 2])])


def test_the_most_frequent_mistakes_come_first(counts):
    assert counts.top() == [("a", "b", 2), ("b", "c", 1), ("d", "a", 1)]
    assert counts.top(1) == [("a", "b", 2)]


def test_labels_with_the_most_mistakes(counts):
    assert counts.most_confused(2) == [0, 1]
    assert counts.most_confused(9) == [0, 1, 2, 3]
    assert Confusion.of(TRUE, TRUE, labels=LABELS).most_confused(9) == []


@pytest.mark.parametrize("more", [0, 100])
def test_both_forms_of_json_are_read(more):
    labels = [*LABELS, *(f"label {i}" for i in range(more))]
    counts = Confusion.of(TRUE, ANSWERED, labels=labels)
    again = not_none(
        Confusion.from_metrics({"per_class": dict.fromkeys(labels), **counts.to_dict()})
    )
    np.testing.assert_array_equal(again.pairs, counts.pairs)
    np.testing.assert_array_equal(again.texts, counts.texts)
    assert again.labels == counts.labels
    assert Confusion.from_metrics({"per_class": dict.fromkeys(labels)}) is None


def test_the_weakest_of_many_classes_are_shown():
    f1, support = np.linspace(1.0, 0.0, 40), np.full(40, 2)
    support[-1] = 0
    assert shown_classes(f1, support) == list(range(38, 23, -1))
    assert shown_classes(f1[:30], support[:30]) == list(range(30))


def test_of_equally_weak_classes_those_with_more_texts_come_first():
    support = np.arange(40)
    assert shown_classes(np.zeros(40), support) == list(range(39, 24, -1))


def test_figures_of_one_class():
    column = np.array([[1], [0], [1]])
    figures, micro = class_figures(column, np.array([[1], [1], [1]]), classes=1)
    assert figures.precision.tolist() == [pytest.approx(2 / 3)]
    assert figures.support.tolist() == [2]
    assert micro == figures.f1[0] == pytest.approx(0.8)
