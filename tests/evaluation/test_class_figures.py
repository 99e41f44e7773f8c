import numpy as np
import pytest
from sklearn.metrics import f1_score

from textrnn.evaluation.class_figures import (
    SHOWN_CLASSES,
    class_figures,
    macro_f1,
    shown_classes,
)


def test_the_figures_of_single_labels():
    figures, micro_f1 = class_figures(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 1]), classes=4)
    np.testing.assert_allclose(figures.precision, [1, 1 / 3, 0, 0])
    np.testing.assert_allclose(figures.recall, [0.5, 1, 0, 0])
    assert figures.support.tolist() == [2, 1, 1, 0]
    assert micro_f1 == 0.5


def test_the_figures_of_several_labels_per_text():
    true = np.array([[1, 0], [1, 1], [0, 0]])
    figures, micro_f1 = class_figures(true, np.array([[1, 1], [1, 1], [0, 0]]), classes=2)
    np.testing.assert_allclose(figures.precision, [1, 0.5])
    np.testing.assert_allclose(figures.recall, [1, 1])
    np.testing.assert_allclose(micro_f1, 6 / 7)


def test_one_label_that_a_text_may_carry():
    figures, _ = class_figures(np.array([[1], [0]]), np.array([[1], [1]]), classes=1)
    assert figures.precision.tolist() == [0.5]


@pytest.mark.parametrize("seed", range(5))
def test_the_macro_f1_is_that_of_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    true, predicted = rng.choice([0, 1, 2, 5, 7], [2, 6])  # Of 9 classes, some of which are absent.
    expected = f1_score(true, predicted, average="macro", zero_division=0.0)
    assert macro_f1(np.eye(9)[true], np.eye(9)[predicted]) == pytest.approx(expected)
    assert macro_f1(np.zeros([3, 2]), np.zeros([3, 2])) == 0.0


def test_few_classes_are_all_shown():
    assert shown_classes(np.zeros(SHOWN_CLASSES), np.ones(SHOWN_CLASSES)) == list(
        range(SHOWN_CLASSES)
    )


def test_of_many_classes_the_weakest_with_texts_are_shown():
    f1, support = np.linspace(1.0, 0.0, 40), np.arange(40)
    support[39] = 0
    places = shown_classes(f1, support)
    assert places[:3] == [38, 37, 36]
    assert 39 not in places
