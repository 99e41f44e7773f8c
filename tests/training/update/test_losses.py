import numpy as np
import pytest
import tensorflow as tf

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.errors import ConfigError
from textrnn.models.label_space import LabelSpace
from textrnn.training.update.losses import BatchLoss, class_weights, lost_prior


def space(multi_label: bool) -> LabelSpace:
    return LabelSpace(("a", "b", "c"), multi_label=multi_label)


def losses(targets, logits, *, multi_label=False, **settings) -> np.ndarray:
    config = ClassifierRunConfig.of(**{"label_smoothing": 0.0, **settings})
    loss = space(multi_label).loss(label_smoothing=config.regularization.label_smoothing)
    return loss(tf.constant(targets, tf.float32), tf.constant(logits, tf.float32)).numpy()


def tensor(values) -> tf.Tensor:
    return tf.constant(values, tf.float32)


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
    weights = class_weights(targets, label_space=LabelSpace(("a", "b"), multi_label=False))
    np.testing.assert_allclose(weights, [2 / 3, 2 / 3, 2 / 3, 2])
    assert weights.mean() == pytest.approx(1)
    assert weights.dtype == np.float32


def test_a_class_without_a_text_does_no_harm():
    targets = np.eye(3, dtype=np.float32)[[0, 1]]
    weights = class_weights(targets, label_space=space(False))
    assert np.isfinite(weights).all()


def test_multi_label_data_has_no_class_weights():
    with pytest.raises(ConfigError, match="`class_weights` needs one label per text"):
        class_weights(np.ones((2, 2)), label_space=LabelSpace(("a", "b"), multi_label=True))


# The loss of a batch


def batch_loss(*, multi_label=False, **settings) -> BatchLoss:
    config = ClassifierRunConfig.of(label_smoothing=0.0, **settings)
    return BatchLoss.from_config(config, label_space=space(multi_label), mean_rows=4.0)


@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_the_loss_of_a_batch_is_a_weighted_sum_over_a_constant(precision):
    weights, ours = tf.constant([1.0, 3.0]), batch_loss(precision=precision)
    logits, targets = tf.constant(LOGITS, tf.float32), tf.constant(TARGETS, tf.float32)
    expected = losses(TARGETS, LOGITS) @ weights.numpy()
    loss = ours.of(logits, targets=targets, weights=weights)
    assert float(loss) == pytest.approx(ours.scale * expected / 4, rel=1e-5)
    assert float(ours.sum_of(loss)) == pytest.approx(expected, rel=1e-5)
    assert ours.scale == (1.0 if precision == "float32" else 4096.0)


@pytest.mark.parametrize(("multi_label", "expected"), [(False, 1.0), (True, 0.0)])
def test_a_text_is_correct_if_all_its_labels_are(multi_label, expected):
    ours = batch_loss(multi_label=multi_label)
    logits = tf.constant([[2.0, 1.0, -1.0], [2.0, -1.0, -1.0], [-1.0, 2.0, -1.0]])
    targets = tf.constant([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    weights = tf.constant([1.0, 0.0, 1.0])
    assert float(ours.count_correct(logits, targets=targets, weights=weights)) == expected


# Losses for rare classes


@pytest.mark.parametrize("gamma", [0.5, 2.0])
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_the_focal_loss_counts_certain_texts_less(gamma, smoothing):
    p = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
    smoothed = (1 - smoothing) * TARGETS + smoothing / 3
    expected = -(smoothed * (1 - p) ** gamma * np.log(p)).sum(axis=1)
    loss = space(False).loss(label_smoothing=smoothing, focal_gamma=gamma)
    np.testing.assert_allclose(loss(tensor(TARGETS), tensor(LOGITS)), expected, rtol=1e-5)


def test_the_focal_loss_of_several_labels():
    targets = np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    p = 1 / (1 + np.exp(-LOGITS))
    each = targets * (1 - p) ** 2 * np.log(p) + (1 - targets) * p**2 * np.log(1 - p)
    loss = space(True).loss(focal_gamma=2.0)
    np.testing.assert_allclose(loss(tensor(targets), tensor(LOGITS)), -each.mean(axis=1), rtol=1e-5)


@pytest.mark.parametrize("multi_label", [False, True])
@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_the_focal_loss_and_its_gradient_stay_finite(multi_label, gamma):
    logits = tensor(LOGITS * 1e4)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = space(multi_label).loss(focal_gamma=gamma)(tensor(TARGETS), logits)
    assert np.isfinite(loss).all()
    assert np.isfinite(tape.gradient(loss, logits)).all()


def test_adjusted_logits_have_the_logarithms_of_the_frequencies_added():
    targets = np.eye(3, dtype=np.float32)[[0] * 8 + [1, 2]]
    config = ClassifierRunConfig.of(loss="logit-adjusted", logit_tau=0.5, label_smoothing=0.2)
    ours = BatchLoss.from_config(config, label_space=space(False), mean_rows=1.0, targets=targets)
    adjusted = LOGITS + 0.5 * np.log([0.8, 0.1, 0.1])
    expected = losses(TARGETS, adjusted, label_smoothing=0.2)
    np.testing.assert_allclose(ours.text_losses(tensor(TARGETS), tensor(LOGITS)), expected, 1e-5)


def test_adjusted_logits_need_one_label_per_text():
    config = ClassifierRunConfig.of(loss="logit-adjusted")
    with pytest.raises(ConfigError, match="logit-adjusted needs one label per text"):
        BatchLoss.from_config(config, label_space=space(True), mean_rows=1.0, targets=TARGETS)


@pytest.mark.parametrize(
    ("settings", "factor"),
    [
        ({}, None),
        ({"loss": "focal"}, None),
        ({"class_weights": True}, 1.0),
        ({"loss": "logit-adjusted", "logit_tau": 0.5}, 0.5),
        ({"loss": "logit-adjusted", "logit_tau": 0.0}, None),
        ({"balanced_batches": "equal"}, 1.0),
        ({"balanced_batches": "sqrt"}, 0.5),
    ],
)
def test_what_a_training_takes_from_the_logits(settings, factor):
    targets = np.eye(2, dtype=np.float32)[[0, 0, 0, 1]]
    config = ClassifierRunConfig.of(**settings)
    two = LabelSpace(("a", "b"), multi_label=False)
    prior = lost_prior(targets, config=config, label_space=two)
    if factor is None:
        assert prior is None
    else:
        assert prior == pytest.approx(factor * np.log([0.75, 0.25]), rel=1e-6)
    assert lost_prior(targets, config=config, label_space=space(True)) is None
