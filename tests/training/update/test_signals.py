import numpy as np
import pytest
import tensorflow as tf

from textrnn.training.update.signals import Signals


def signals(*, loss_sum=4.0, norm=1.0) -> Signals:
    return Signals.read(tf.constant([loss_sum, 2.0, norm, 0.0, 0.5]))


def test_signals_are_read_from_a_tensor():
    assert signals() == Signals(4.0, 2.0, 1.0, (0.0, 0.5))


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({}, None),
        ({"loss_sum": np.nan}, "the loss is nan"),
        ({"loss_sum": 41.0}, "the loss has exploded to 10.2 nats a text"),
        ({"norm": np.inf}, "the gradient's norm is inf"),
    ],
)
def test_a_useless_update_is_noticed(values, problem):
    assert signals(**values).problem(rows=4, most_loss=10.0) == problem
