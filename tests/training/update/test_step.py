"""One update, with a gradient source that the test makes up."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.models.label_space import LabelSpace
from textrnn.training.devices.strategy import Distribution
from textrnn.training.update.gradient_sources.source import BatchGradient
from textrnn.training.update.losses import BatchLoss
from textrnn.training.update.signals import Signals
from textrnn.training.update.step import Step

BATCH = [
    np.array([[2, 3], [4, 0], [5, 6], [7, 0]], np.int32),
    np.eye(2, dtype=np.float32)[[0, 1, 0, 1]],
    np.array([1, 1, 1, 0], np.float32),
]


class RecordingSource:
    """Needs a number that is drawn and a row of further ids; has one weight, a logit of class 1."""

    row_specs = (tf.TensorSpec([None, None], tf.int32),)
    draw_specs = (tf.TensorSpec([], tf.float32),)

    def __init__(self) -> None:
        self.weight = keras.Variable(np.zeros(1, np.float32), name="weight")
        self.seen: list[tf.Tensor] = []

    @property
    def variables(self):
        return [self.weight]

    def draw(self, seed):
        return (np.array(seed[-1], np.float32),)

    def gradients(self, batch):
        (drawn,), (more,) = batch.draws, batch.more_rows
        with tf.GradientTape() as tape:
            zeros = tf.zeros(tf.shape(batch.ids)[:1])
            logits = tf.stack([zeros, zeros + self.weight.value], axis=1)
            loss = batch.objective(logits)
        (gradient,) = tape.gradient(loss, self.variables)
        extra = drawn + tf.cast(tf.reduce_sum(more), tf.float32)
        return BatchGradient([gradient + extra], loss, logits)


def step_of(source, **settings) -> Step:
    config = ClassifierRunConfig.of(clip_norm=0.0, label_smoothing=0.0, **settings)
    optimizer = keras.optimizers.SGD(1.0)
    optimizer.build(source.variables)
    return Step(
        source,
        optimizer,
        loss=BatchLoss.from_config(
            config, label_space=LabelSpace(("a", "b"), multi_label=False), mean_rows=2.0
        ),
        config=config,
        distribution=Distribution.choose("single"),
        control_flags=2,
    )


def update(*, drawn=0, more=0, **settings) -> tuple[Signals, float]:
    source = RecordingSource()
    step = step_of(source, **settings)
    rows = np.full([2, 1], more, np.int32)
    signals = Signals.read(step([*BATCH, rows], [0.0, 0.5], seed=[9, drawn]))
    return signals, float(source.weight[0])


def test_the_signals_are_those_of_the_texts_that_count():
    signals, weight = update()
    assert signals.loss_sum == pytest.approx(3 * np.log(2))
    assert signals.correct == 2.0
    assert signals.control_flags == (0.0, 0.5)
    # Of three texts that count, one is of class 1: the slope of the sum is 1.5 - 1.
    assert signals.norm == pytest.approx(0.25)
    assert weight == pytest.approx(-0.25)


def test_a_source_gets_its_draws_and_its_rows():
    assert update(drawn=3)[1] == pytest.approx(-3.25)
    assert update(more=5)[1] == pytest.approx(-10.25)


def test_micro_batches_share_the_draws_and_divide_the_rows():
    signals, weight = update(drawn=3, more=5, accumulate=2)
    assert signals.loss_sum == pytest.approx(3 * np.log(2))
    assert weight == pytest.approx(-(0.25 + 2 * 3 + 10))


def test_the_number_of_rows_must_suit_the_micro_batches():
    assert step_of(RecordingSource(), accumulate=3).rows_multiple == 3
