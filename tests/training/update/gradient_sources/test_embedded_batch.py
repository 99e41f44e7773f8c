import numpy as np
import pytest
import tensorflow as tf
from tiny import random_classifier

from textrnn.training.update.gradient_sources.embedded_batch import EmbeddedBatch

IDS = np.random.default_rng(0).integers(1, 10, size=(4, 5)).astype(np.int32)
IDS[1, 3:] = IDS[2, 1:] = IDS[3, :] = 0
TARGETS = np.eye(2, dtype=np.float32)[[0, 1, 1, 0]]
COUNTED = tf.constant([1.0, 1.0, 1.0, 0.0])
NOISE = {"embedding_dropout": 0.4, "dropout": 0.3, "recurrent_dropout": 0.3, "word_dropout": 0.3}


def objective(logits):
    losses = tf.nn.softmax_cross_entropy_with_logits(TARGETS, logits)
    return tf.reduce_sum(COUNTED * losses) / 3


def dense(gradients) -> list[np.ndarray]:
    return [tf.convert_to_tensor(gradient).numpy() for gradient in gradients]


def model_of(cell="gru", head="attention", **settings):
    return random_classifier(cell, head, **settings)


def generators(model) -> list:
    return [v for v in model.non_trainable_variables if "seed_generator" in v.path]


def noise_of(model) -> list[np.ndarray]:
    """The states of all generators."""
    return [generator.numpy().copy() for generator in generators(model)]


def set_noise(model, states) -> None:
    for generator, state in zip(generators(model), states, strict=True):
        generator.assign(state)


def norms(values) -> np.ndarray:
    return np.sqrt(np.square(values).sum(axis=(1, 2)))


def table_rows(model) -> np.ndarray:
    return model.embedding.embeddings.numpy()[IDS] * (IDS != 0)[:, :, None]


def test_the_move_has_the_stated_norm_and_raises_the_loss():
    model = model_of()
    batch = EmbeddedBatch(model, tf.constant(IDS), random=False)
    logits, slopes = batch.learn(objective)
    for eps in (1e-3, 1e-2):
        (r,) = batch.moves(slopes, eps)
        sizes = norms(table_rows(model))
        np.testing.assert_allclose(norms(r.numpy()), [*eps * sizes[:3], 0.0], rtol=1e-5)
        assert not r.numpy()[IDS == 0].any()
        gain = float(objective(batch.logits([r])) - objective(logits))
        promised = float((eps * sizes * norms(slopes[0].numpy())).sum())
        assert gain == pytest.approx(promised, rel=0.1)


def test_a_slope_too_small_for_its_square_has_the_norm_too():
    model = model_of()
    batch = EmbeddedBatch(model, tf.constant(IDS), random=False)
    slope = np.full([*IDS.shape, 4], 1e-30, np.float32)
    (r,) = batch.moves([tf.constant(slope)], 0.5)
    np.testing.assert_allclose(norms(r.numpy())[:3], 0.5 * norms(table_rows(model))[:3], rtol=1e-5)


def test_larger_embeddings_are_moved_as_much_farther():
    moved = []
    for scale in (1.0, 8.0):
        model = model_of("none", "mean")
        table, kernel = model.embedding.embeddings, model.classify.kernel
        table.assign(scale * table)
        kernel.assign(kernel / scale)
        batch = EmbeddedBatch(model, tf.constant(IDS), random=False)
        _, slopes = batch.learn(objective)
        moved.append(batch.logits(batch.moves(slopes, 0.1)).numpy())
    np.testing.assert_allclose(moved[0], moved[1], atol=1e-5)


# Noise


def test_all_readings_of_a_text_have_one_noise():
    model = model_of("lstm", "mean", layers=2, **NOISE)
    batch = EmbeddedBatch(model, tf.constant(IDS), random=True)
    first = batch.logits()
    after = noise_of(model)
    np.testing.assert_array_equal(first, batch.logits())
    for actual, repeated in zip(after, noise_of(model), strict=True):
        np.testing.assert_array_equal(actual, repeated)
    second = EmbeddedBatch(model, tf.constant(IDS), random=True)
    assert np.abs(first - second.logits()).max() > 1e-3
    assert np.abs(batch.random[0] - second.random[0]).max() > 1e-3


def test_with_noise_the_gradient_lowers_what_is_asked():
    """The same noise in the whole step: a small step along the gradient lowers the objective."""
    model = model_of("lstm", "mean", layers=2, **NOISE)
    before = noise_of(model)

    def start():
        set_noise(model, before)
        batch = EmbeddedBatch(model, tf.constant(IDS), random=False)
        return batch, [0.03 * tf.ones_like(x) for x in batch._embedded]

    def asked() -> float:
        batch, moved = start()
        return float(objective(batch.logits()) + objective(batch.logits(moved)))

    value = asked()
    batch, moved = start()
    batch.learn(objective)
    batch.learn(objective, moved)
    gradients = dense(batch.gradients())
    square = sum(float((g**2).sum()) for g in gradients)
    for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
        variable.assign(variable - 1e-3 * gradient)
    assert value - asked() == pytest.approx(1e-3 * square, rel=0.1)
