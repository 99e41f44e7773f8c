"""The loss against a sample of the vocabulary."""

import numpy as np
import tensorflow as tf

from textrnn.config.model import EncoderConfig
from textrnn.models.language_model import LanguageModel

VOCAB = 6


def language_model():
    config = EncoderConfig(cell="gru", layers=1, units=3, embedding_units=4)
    model = LanguageModel(VOCAB, config=config)
    model.build((None, None))
    rng = np.random.default_rng(1)
    for weight in model.trainable_weights:
        weight.assign(rng.normal(size=weight.shape))
    return model


def vectors_and_targets() -> tuple[tf.Tensor, tf.Tensor]:
    rng = np.random.default_rng(2)
    vectors = tf.constant(rng.normal(size=[2, 3, 4]), tf.float32)
    return vectors, tf.constant(rng.integers(0, VOCAB, size=[2, 3]), tf.int32)


def test_against_every_token_the_sampled_loss_is_the_whole_one_and_its_gradient_too():
    model = language_model()
    vectors, targets = vectors_and_targets()
    drawn, offsets = tf.range(VOCAB), tf.zeros([VOCAB])
    weights = [*model.embedding.trainable_variables, model.output_bias]
    results = []
    for loss in (
        lambda: model.losses(vectors, targets),
        lambda: model.sampled_losses(vectors, targets, drawn, offsets),
    ):
        with tf.GradientTape() as tape:
            tape.watch(vectors)
            losses = loss()
            value = tf.reduce_sum(losses * tf.constant([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
        gradients = tape.gradient(value, [vectors, *weights])
        results.append([losses, *map(tf.convert_to_tensor, gradients)])
    for whole, sampled in zip(*results, strict=True):
        np.testing.assert_allclose(sampled, whole, atol=1e-5)


def test_a_drawn_token_that_is_the_right_one_does_not_count():
    model = language_model()
    vectors, _ = vectors_and_targets()
    targets = tf.fill([2, 3], 2)
    with_it = model.sampled_losses(vectors, targets, tf.constant([1, 2, 4]), tf.zeros([3]))
    without = model.sampled_losses(vectors, targets, tf.constant([1, 4]), tf.zeros([2]))
    np.testing.assert_allclose(with_it, without, atol=1e-5)


def test_several_targets_of_one_vector_are_as_many_losses():
    """Their gradient too, even where two targets are the same drawn token."""
    model = language_model()
    vectors, _ = vectors_and_targets()
    targets = tf.constant(np.random.default_rng(3).integers(0, VOCAB, size=[2, 3, 4]), tf.int32)
    targets = tf.concat([targets, targets[:, :, :1]], axis=2)
    drawn, offsets = tf.constant([1, 2, 4]), tf.constant([0.5, -0.2, 0.0])
    results = []
    for together in (True, False):
        with tf.GradientTape() as tape:
            tape.watch(vectors)
            if together:
                losses = model.sampled_losses(vectors, targets, drawn, offsets)
            else:
                parts = [
                    model.sampled_losses(vectors, targets[:, :, n], drawn, offsets)
                    for n in range(5)
                ]
                losses = tf.stack(parts, axis=2)
            value = tf.reduce_sum(losses * tf.range(1.0, 6.0))
        results.append((losses, tape.gradient(value, vectors)))
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
