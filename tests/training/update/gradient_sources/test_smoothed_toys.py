"""Where adversarial training, and virtual adversarial training on texts without labels, must help.

A text of either class is some random words of its class's own; the classifier is a bag of them.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf
from tiny import TRAINING, classifier

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.models.classifier import TextClassifier
from textrnn.models.label_space import LabelSpace
from textrnn.training.devices.strategy import Distribution
from textrnn.training.update.gradient_sources.choice import choose_source
from textrnn.training.update.gradient_sources.embedded_batch import EmbeddedBatch
from textrnn.training.update.losses import BatchLoss
from textrnn.training.update.optimizer import make_optimizer
from textrnn.training.update.step import Step

SEEDS = pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.thorough)])


def texts_of(rng, count, *, words, length, foreign=0):
    """Texts `[N, T]` and their classes; some words of each text belong to the other class."""
    classes = np.arange(count) % 2
    ids = np.stack([2 + c * words + rng.choice(words, length, replace=False) for c in classes])
    for row, c in zip(ids, classes, strict=True):
        places = rng.choice(length, foreign, replace=False)
        row[places] = 2 + (1 - c) * words + rng.choice(words, foreign, replace=False)
    return ids.astype(np.int32), classes


def trained(ids, classes, *, words, seed, unlabelled=None, **settings) -> TextClassifier:
    """A model after 150 updates, each on all the texts."""
    model_config = classifier(head="mean", embedding_units=8).config
    keras.utils.set_random_seed(seed)
    model = TextClassifier(2 + 2 * words, 2, config=model_config)
    model.build((None, None))
    training = {**TRAINING, "learning_rate": 0.03, "clip_norm": 0.0, **settings}
    config = ClassifierRunConfig.of(**training)
    optimizer = make_optimizer(config)
    optimizer.build(model.trainable_variables)
    more = [] if unlabelled is None else [unlabelled]
    loss = BatchLoss.from_config(
        config,
        label_space=LabelSpace(("a", "b"), multi_label=False),
        mean_rows=len(ids),
        unlabelled_rows=sum(map(len, more)),
    )
    step = Step(
        choose_source(model, config, loss=loss),
        optimizer,
        loss=loss,
        config=config,
        distribution=Distribution.choose("single"),
        control_flags=1,
    )
    batch = [ids, np.eye(2, dtype=np.float32)[classes], np.ones(len(ids), np.float32), *more]
    for _ in range(150):
        step(batch, [0.0])
    return model


def accuracy(logits, classes) -> float:
    return float((logits.numpy().argmax(axis=1) == classes).mean())


@pytest.mark.thorough
@SEEDS
def test_virtual_adversarial_training_learns_words_that_no_labelled_text_holds(seed):
    rng = np.random.default_rng(seed)
    shape = {"words": 30, "length": 5}
    labelled, unlabelled, held_out = (texts_of(rng, n, **shape) for n in (2, 200, 200))
    accuracies = {}
    for name, more in {
        "labels alone": {},
        "with unlabelled texts": {"unlabelled": unlabelled[0], "vat": 0.1},
    }.items():
        model = trained(*labelled, words=30, seed=seed, **more)
        accuracies[name] = accuracy(model(held_out[0]), held_out[1])
    assert accuracies["labels alone"] < 0.9
    assert accuracies["with unlabelled texts"] > 0.98


@SEEDS
def test_adversarial_training_keeps_new_texts_right_when_they_are_moved(seed):
    rng = np.random.default_rng(seed)
    shape = {"words": 10, "length": 6, "foreign": 2}
    labelled, (ids, classes) = (texts_of(rng, n, **shape) for n in (40, 200))
    targets = np.eye(2, dtype=np.float32)[classes]

    def objective(logits):
        return tf.reduce_sum(tf.nn.softmax_cross_entropy_with_logits(targets, logits))

    worst = []
    for eps in (0.0, 0.3):
        model = trained(*labelled, words=10, seed=seed, adversarial=eps)
        batch = EmbeddedBatch(model, tf.constant(ids), random=False)
        logits, slopes = batch.learn(objective)
        assert accuracy(logits, classes) == 1.0
        worst.append(accuracy(batch.logits(batch.moves(slopes, 0.3)), classes))
    assert worst[0] < 0.9
    assert worst[1] > 0.97
