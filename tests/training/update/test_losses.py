import keras
import numpy as np
import pytest
import tensorflow as tf

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.errors import ConfigError
from textrnn.training.update.losses import class_weights, make_loss, make_optimizer


def update(**settings) -> tuple[float, float]:
    """How a kernel and a bias, both of 1, move by an update with the gradient 0."""
    defaults = {"learning_rate": 0.5, "warmup": 0.0, "weight_decay": 0.0}
    optimizer = make_optimizer(ClassifierRunConfig.of(**{**defaults, **settings}))
    kernel = keras.Variable(np.ones(1, np.float32), name="kernel")
    bias = keras.Variable(np.ones(1, np.float32), name="bias")
    optimizer.build([kernel, bias])
    optimizer.apply([tf.zeros(1), tf.zeros(1)], [kernel, bias])
    return float(kernel[0]) - 1, float(bias[0]) - 1


def test_weight_decay_spares_biases():
    assert update(weight_decay=0.1) == (pytest.approx(-0.5 * 0.1), 0.0)
    assert update() == (0.0, 0.0)


# The loss


def losses(targets, logits, *, multi_label=False, **settings) -> np.ndarray:
    config = ClassifierRunConfig.of(**{"label_smoothing": 0.0, **settings})
    loss = make_loss(config, multi_label=multi_label)
    return loss(tf.constant(targets, tf.float32), tf.constant(logits, tf.float32)).numpy()


LOGITS = np.array([[2.0, 0.0, -1.0], [0.5, 0.5, 0.5]])
TARGETS = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])


def test_the_loss_of_each_text_is_its_cross_entropy():
    p = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
    expected = -(TARGETS * np.log(p)).sum(axis=1)
    np.testing.assert_allclose(losses(TARGETS, LOGITS), expected, rtol=1e-5)


def test_label_smoothing_spreads_probability_over_all_labels():
    p = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
    expected = -((0.7 * TARGETS + 0.3 / 3) * np.log(p)).sum(axis=1)
    smoothed = losses(TARGETS, LOGITS, label_smoothing=0.3)
    np.testing.assert_allclose(smoothed, expected, rtol=1e-5)


def test_the_multi_label_loss_is_the_mean_over_the_labels():
    targets = np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    p = 1 / (1 + np.exp(-LOGITS))
    expected = -(targets * np.log(p) + (1 - targets) * np.log(1 - p)).mean(axis=1)
    np.testing.assert_allclose(losses(targets, LOGITS, multi_label=True), expected, rtol=1e-5)


def test_a_loss_stays_finite_at_large_logits():
    assert np.isfinite(losses(TARGETS, LOGITS * 1e4)).all()
    assert np.isfinite(losses(TARGETS, LOGITS * 1e4, multi_label=True)).all()


# The weights of classes


def test_a_rare_class_weighs_more_and_the_mean_is_one():
    targets = np.eye(2, dtype=np.float32)[[0, 0, 0, 1]]
    weights = class_weights(targets, labels=("a", "b"), multi_label=False)
    np.testing.assert_allclose(weights, [2 / 3, 2 / 3, 2 / 3, 2])
    assert weights.mean() == pytest.approx(1)
    assert weights.dtype == np.float32


def test_a_class_without_a_text_does_no_harm():
    targets = np.eye(3, dtype=np.float32)[[0, 1]]
    weights = class_weights(targets, labels=("a", "b", "c"), multi_label=False)
    assert np.isfinite(weights).all()


def test_multi_label_data_has_no_class_weights():
    with pytest.raises(ConfigError, match="`class_weights` needs one label a text"):
        class_weights(np.ones((2, 2)), labels=("a", "b"), multi_label=True)
