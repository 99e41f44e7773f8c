import numpy as np
import pytest

from textrnn.inference.calibration import fit_temperature, reliability
from textrnn.models.label_space import LabelSpace

SINGLE = LabelSpace(("a", "b"), multi_label=False)
MULTI = LabelSpace(("a", "b"), multi_label=True)


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("label_space", [SINGLE, MULTI], ids=["single", "multi"])
@pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0])
def test_the_temperature_that_made_the_labels_is_found(temperature, label_space):
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(20_000, 3)) * 2
    if label_space.multi_label:
        truth = 1 / (1 + np.exp(-logits))
        targets = (rng.random(truth.shape) < truth).astype(float)
        overconfident = 1 / (1 + np.exp(-logits * temperature))
    else:
        classes = (softmax(logits).cumsum(axis=1) > rng.random((len(logits), 1))).argmax(axis=1)
        targets = np.eye(3)[classes]
        overconfident = softmax(logits * temperature)
    fitted = fit_temperature(overconfident, targets, label_space=label_space)
    assert fitted == pytest.approx(temperature, rel=0.05)


def test_scores_of_zero_and_one_are_no_error():
    scores = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert fit_temperature(scores, scores, label_space=SINGLE) <= 1.0


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
