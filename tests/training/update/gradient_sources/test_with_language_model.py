import numpy as np
import pytest
import tensorflow as tf
from tiny import random_classifier

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.models.label_space import LabelSpace
from textrnn.training.update.gradient_sources.plain import PlainGradients
from textrnn.training.update.gradient_sources.source import MicroBatch
from textrnn.training.update.gradient_sources.with_language_model import WithLanguageModel
from textrnn.training.update.language_model_loss import LanguageModelLoss
from textrnn.training.update.losses import BatchLoss

IDS = np.array([[2, 3, 4], [5, 6, 0]], np.int32)


def gradients_of(weight):
    """The gradients of the classifier alone, and those with a language model's loss."""
    model = random_classifier("mingru", "mean", bidirectional=False)
    loss = BatchLoss.from_config(
        ClassifierRunConfig.of(),
        label_space=LabelSpace(("a", "b"), multi_label=False),
        mean_rows=2.0,
    )
    language_model_loss = LanguageModelLoss(model, weight=weight, texts=[IDS[0]], seed=0)
    source = WithLanguageModel(model, language_model_loss, loss=loss)
    draws = tuple(map(tf.constant, source.draw([0, 3])))
    batch = MicroBatch(tf.constant(IDS), tf.ones(2), tf.reduce_sum, draws=draws)
    return PlainGradients(model).gradients(batch), source.gradients(batch)


def test_the_loss_is_that_of_the_classifier_alone():
    plain, combined = gradients_of(weight=1.0)
    np.testing.assert_allclose(combined.loss, plain.loss, rtol=1e-5)
    np.testing.assert_allclose(combined.logits, plain.logits, rtol=1e-5)
    assert len(combined.gradients) > len(plain.gradients)


@pytest.mark.parametrize(("weight", "is_equal"), [(0.0, True), (1.0, False)])
def test_the_weight_is_that_of_the_language_model_s_part(weight, is_equal):
    plain, combined = gradients_of(weight)
    pairs = zip(plain.gradients, combined.gradients, strict=False)
    close = [
        np.allclose(tf.convert_to_tensor(first), tf.convert_to_tensor(second), atol=1e-5)
        for first, second in pairs
    ]
    assert all(close) is is_equal
