import numpy as np

from textrnn.inference.calibration import reliability
from textrnn.models.label_space import LabelSpace

SINGLE = LabelSpace(("a", "b"), multi_label=False)
MULTI = LabelSpace(("a", "b"), multi_label=True)


def test_reliability_by_hand():
    # Confidences 0.9 (right), 0.9 (wrong), 0.6 (right): bins 13, 13 and 9 of 15.
    scores = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6]])
    bins = reliability(scores, np.array([[1, 0], [0, 1], [0, 1]]), label_space=SINGLE)
    assert bins.counts.nonzero()[0].tolist() == [9, 13]
    assert bins.counts[[9, 13]].tolist() == [1, 2]
    assert bins.correct[[9, 13]].tolist() == [1, 1]
    np.testing.assert_allclose(bins.confidence[[9, 13]], [0.6, 1.8])
    assert np.isclose(bins.error, (abs(1 - 0.6) + abs(1 - 1.8)) / 3)


def test_reliability_of_several_labels_is_that_of_the_decisions():
    bins = reliability(np.array([[1.0, 0.0]]), np.array([[1, 1]]), label_space=MULTI)
    assert bins.counts[[0, 14]].tolist() == [1, 1]
    assert bins.correct[[0, 14]].tolist() == [1, 1]
    assert bins.error == 0.5
