import keras
import numpy as np
import pytest
import tensorflow as tf

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.training.update.optimizer import make_optimizer


def update(**settings) -> tuple[float, float]:
    """Returns a kernel and a bias, both of 1 before, after an update with the gradient 0."""
    defaults = {"learning_rate": 0.5, "warmup": 0.0, "weight_decay": 0.0}
    optimizer = make_optimizer(ClassifierRunConfig.of(**{**defaults, **settings}))
    kernel = keras.Variable(np.ones(1, np.float32), name="kernel")
    bias = keras.Variable(np.ones(1, np.float32), name="bias")
    optimizer.build([kernel, bias])
    optimizer.apply([tf.zeros(1), tf.zeros(1)], [kernel, bias])
    return float(kernel[0]) - 1, float(bias[0]) - 1


def test_weight_decay_spares_biases():
    kernel, bias = update(weight_decay=0.1)
    assert kernel == pytest.approx(-0.5 * 0.1)
    assert bias == 0.0
    assert update() == (0.0, 0.0)
