import numpy as np
import scipy.sparse
from sklearn.linear_model import LogisticRegression

from textrnn.evaluation.logistic_regression import fit_logistic_regression
from textrnn.models.label_space import LabelSpace

RNG = np.random.default_rng(0)
FEATURES = scipy.sparse.csr_matrix(RNG.normal(size=(90, 4)))
TARGETS = np.eye(3)[(FEATURES @ RNG.normal(size=(4, 3))).argmax(axis=1)]
THREE = LabelSpace(("a", "b", "c"), multi_label=False)


def fit(targets, space, **settings):
    return fit_logistic_regression(
        FEATURES, targets, label_space=space, inverse_penalty=1.0, **settings
    )


def test_three_labels_are_one_problem_each():
    done: list[int] = []
    model = fit(TARGETS, THREE, on_class=done.append)
    assert done == [1, 1, 1]
    for column in range(3):
        alone = LogisticRegression(solver="liblinear", dual=True, tol=0.1, random_state=0)
        alone.fit(FEATURES, TARGETS[:, column])
        np.testing.assert_allclose(model.coefficients[:, column], alone.coef_[0])
    probabilities = model.probabilities(FEATURES)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert (probabilities.argmax(axis=1) == TARGETS.argmax(axis=1)).mean() > 0.85


def test_two_labels_are_one_problem():
    targets, space = TARGETS[:, :1] @ [[1, -1]] + [0, 1], LabelSpace(("a", "b"), multi_label=False)
    done: list[int] = []
    model = fit(targets, space, on_class=done.append)
    assert done == [1]
    np.testing.assert_allclose(model.coefficients[:, 0], -model.coefficients[:, 1])
    alone = LogisticRegression(solver="liblinear", dual=True, tol=0.1, random_state=0)
    expected = alone.fit(FEATURES, targets[:, 1]).predict_proba(FEATURES)
    np.testing.assert_allclose(model.probabilities(FEATURES), expected, atol=1e-6)


def test_labels_that_do_not_exclude_each_other_have_their_own_probabilities():
    space = LabelSpace(("a", "b", "c"), multi_label=True)
    probabilities = fit(np.ones([90, 3]) * [1, 0, 1], space).probabilities(FEATURES)
    assert (probabilities[:, [0, 2]] > 0.98).all()
    assert (probabilities[:, 1] < 0.02).all()


def test_a_probable_label_counts_by_its_probability():
    """A text that has a label with the probability p is p texts with it, and 1 - p without."""
    space = LabelSpace(("a",), multi_label=True)
    probabilities = np.where(TARGETS[:, :1] > 0, 0.75, 0.0)
    soft = fit(probabilities, space)
    has = np.flatnonzero(probabilities[:, 0])
    rows = np.concatenate([has, np.arange(90)])
    target = np.arange(len(rows)) < len(has)
    weights = np.concatenate([np.full(len(has), 0.75), 1.0 - probabilities[:, 0]])
    alone = LogisticRegression(solver="liblinear", dual=True, tol=0.1, random_state=0)
    alone.fit(FEATURES[rows], target, sample_weight=weights)
    np.testing.assert_allclose(soft.coefficients[:, 0], alone.coef_[0])
    assert soft.bias[0] == alone.intercept_[0]


def test_an_improbable_label_is_left_out():
    space = LabelSpace(("a",), multi_label=True)
    nearly = np.abs(TARGETS[:, :1] - 0.001)
    np.testing.assert_allclose(
        fit(nearly, space).coefficients, fit(TARGETS[:, :1], space).coefficients, atol=0.02
    )


def test_weights_of_texts_multiply_probabilities():
    space = LabelSpace(("a",), multi_label=True)
    soft = np.clip(TARGETS[:, :1], 0.25, 0.75)
    weights = np.where(np.arange(90) < 60, 1.0, 0.0)
    model = fit(soft, space, sample_weights=weights)
    first = fit_logistic_regression(
        FEATURES[:60], soft[:60], label_space=space, inverse_penalty=1.0
    )
    np.testing.assert_allclose(model.coefficients, first.coefficients, atol=0.1)
