import numpy as np
import tensorflow as tf
from tiny import random_classifier

from textrnn.training.update.gradient_sources.plain import PlainGradients
from textrnn.training.update.gradient_sources.source import MicroBatch

IDS = tf.constant([[2, 3, 4], [5, 6, 0]])


def test_the_gradient_is_that_of_the_objective():
    model = random_classifier("gru", "mean")
    result = PlainGradients(model).gradients(MicroBatch(IDS, tf.ones(2), tf.reduce_sum))
    with tf.GradientTape() as tape:
        logits = model(IDS)
        loss = tf.reduce_sum(logits)
    np.testing.assert_allclose(result.loss, loss, rtol=1e-6)
    np.testing.assert_allclose(result.logits, logits, rtol=1e-6)
    expected = tape.gradient(loss, model.trainable_variables)
    for first, second in zip(result.gradients, expected, strict=True):
        np.testing.assert_allclose(
            tf.convert_to_tensor(first), tf.convert_to_tensor(second), atol=1e-5
        )
