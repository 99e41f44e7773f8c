import numpy as np
import pytest

from textrnn.inference.calibration import calibrated, fit_temperature, reliability


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def test_a_temperature_divides_the_logits():
    logits = np.random.default_rng(0).normal(size=(5, 3))
    np.testing.assert_allclose(
        calibrated(softmax(logits), 2.5, multi_label=False), softmax(logits / 2.5), atol=1e-9
    )
    sigmoid = 1 / (1 + np.exp(-logits))
    np.testing.assert_allclose(
        calibrated(sigmoid, 0.5, multi_label=True), 1 / (1 + np.exp(-2 * logits)), atol=1e-9
    )


@pytest.mark.parametrize("multi_label", [False, True])
@pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0])
def test_the_temperature_that_made_the_labels_is_found(temperature, multi_label):
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(20_000, 3)) * 2
    if multi_label:
        truth = 1 / (1 + np.exp(-logits))
        targets = (rng.random(truth.shape) < truth).astype(float)
        shown = 1 / (1 + np.exp(-logits * temperature))
    else:
        classes = (softmax(logits).cumsum(axis=1) > rng.random((len(logits), 1))).argmax(axis=1)
        targets = np.eye(3)[classes]
        shown = softmax(logits * temperature)
    found = fit_temperature(shown, targets, multi_label=multi_label)
    assert found == pytest.approx(temperature, rel=0.05)


def test_scores_of_zero_and_one_are_no_error():
    scores = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert np.isfinite(calibrated(scores, 0.05, multi_label=False)).all()
    assert fit_temperature(scores, scores, multi_label=False) <= 1.0


def test_reliability_by_hand():
    # Confidences 0.9 (right), 0.9 (wrong), 0.6 (right): bins 13, 13 and 9 of 15.
    scores = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6]])
    found = reliability(scores, np.array([[1, 0], [0, 1], [0, 1]]), multi_label=False)
    assert found.counts.nonzero()[0].tolist() == [9, 13]
    assert found.counts[[9, 13]].tolist() == [1, 2]
    assert found.correct[[9, 13]].tolist() == [1, 1]
    np.testing.assert_allclose(found.confidence[[9, 13]], [0.6, 1.8])
    assert np.isclose(found.error, (abs(1 - 0.6) + abs(1 - 1.8)) / 3)


def test_reliability_of_several_labels_is_that_of_the_decisions():
    found = reliability(np.array([[1.0, 0.0]]), np.array([[1, 1]]), multi_label=True)
    assert found.counts[[0, 14]].tolist() == [1, 1]
    assert found.correct[[0, 14]].tolist() == [1, 1]
    assert found.error == 0.5
