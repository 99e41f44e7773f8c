import keras
import numpy as np
import pytest
import tensorflow as tf

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.training.loop.averaged_weights import averaged_weights
from textrnn.training.update.optimizer import make_optimizer


@pytest.mark.parametrize("ema", [0.0, 0.5])
def test_the_average_is_there_while_the_context_is_open(ema):
    variable = keras.Variable(np.zeros(2, np.float32))
    optimizer = make_optimizer(ClassifierRunConfig.of(ema=ema, learning_rate=1.0))
    optimizer.build([variable])
    for _ in range(3):
        optimizer.apply([tf.ones(2)], [variable])
    weights = variable.numpy()
    with averaged_weights(optimizer, [variable]):
        assert (variable.numpy() > weights).all() == (ema > 0)
    np.testing.assert_array_equal(variable.numpy(), weights)


def test_an_error_restores_the_weights_too():
    variable = keras.Variable(np.zeros(2, np.float32))
    optimizer = make_optimizer(ClassifierRunConfig.of(ema=0.5, learning_rate=1.0))
    optimizer.build([variable])
    optimizer.apply([tf.ones(2)], [variable])
    weights = variable.numpy()
    with pytest.raises(ValueError, match="no"), averaged_weights(optimizer, [variable]):
        raise ValueError("no")
    np.testing.assert_array_equal(variable.numpy(), weights)
