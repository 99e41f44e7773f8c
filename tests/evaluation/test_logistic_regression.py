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
