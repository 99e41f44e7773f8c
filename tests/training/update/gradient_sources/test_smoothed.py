from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tiny import QUIET, classifier, fit, labelled_ids, random_classifier, stop_after, trainer

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.errors import ConfigError
from textrnn.models.label_space import LabelSpace
from textrnn.training.update.gradient_sources import embedded_batch
from textrnn.training.update.gradient_sources.embedded_batch import EmbeddedBatch
from textrnn.training.update.gradient_sources.smoothed import SmoothedGradients
from textrnn.training.update.gradient_sources.source import MicroBatch
from textrnn.training.update.losses import BatchLoss

IDS = np.random.default_rng(0).integers(1, 10, size=(4, 5)).astype(np.int32)
IDS[1, 3:] = IDS[2, 1:] = IDS[3, :] = 0
TARGETS = np.eye(2, dtype=np.float32)[[0, 1, 1, 0]]
COUNTED = tf.constant([1.0, 1.0, 1.0, 0.0])
NOISE = {"embedding_dropout": 0.4, "dropout": 0.3, "recurrent_dropout": 0.3, "word_dropout": 0.3}


def objective(logits):
    losses = tf.nn.softmax_cross_entropy_with_logits(TARGETS, logits)
    return tf.reduce_sum(COUNTED * losses) / 3


def gradients_of(model, *, unlabelled=None, multi_label=False, update=0, **settings):
    """The gradients of the batch `IDS`, of which three texts count, and the loss and logits."""
    config = ClassifierRunConfig.of(**settings)
    loss = BatchLoss.from_config(
        config, label_space=LabelSpace(("a", "b"), multi_label=multi_label), mean_rows=3.0
    )
    more = () if unlabelled is None else (tf.constant(unlabelled),)
    source = SmoothedGradients(model, config, loss=loss)
    draws = tuple(map(tf.constant, source.draw([7, update])))
    assert [draw.dtype for draw in draws] == [spec.dtype for spec in source.draw_specs]
    return source.gradients(MicroBatch(IDS, COUNTED, objective, more_rows=more, draws=draws))


def dense(gradients) -> list[np.ndarray]:
    return [tf.convert_to_tensor(gradient).numpy() for gradient in gradients]


def assert_close(actual, expected, *, atol=1e-5) -> None:
    assert len(actual) == len(expected)
    for first, second in zip(actual, expected, strict=True):
        np.testing.assert_allclose(first, second, atol=atol, rtol=1e-4)


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


# The oracle: the definition by tapes of its own, for a model without noise


def table_rows(model) -> np.ndarray:
    return model.embedding.embeddings.numpy()[IDS] * (IDS != 0)[:, :, None]


def logits_at(model, r):
    return model.logits_of(model.embedding(IDS) + tf.cast(r, tf.float32), tf.constant(IDS != 0))


def scaled(model, g, eps) -> np.ndarray:
    sizes = np.maximum(norms(g), 1e-30)
    return eps * (norms(table_rows(model)) / sizes)[:, None, None] * g


def adversarial_oracle(model, eps, weight):
    r = tf.Variable(np.zeros([*IDS.shape, 4], np.float32))
    with tf.GradientTape() as tape:
        value = objective(logits_at(model, r))
    moved = scaled(model, tape.gradient(value, r).numpy(), eps)
    with tf.GradientTape() as tape:
        value = objective(logits_at(model, 0.0)) + weight * objective(logits_at(model, moved))
    return dense(tape.gradient(value, model.trainable_variables)), moved


@pytest.mark.parametrize("cell", ["none", "gru", "lstm", "mingru"])
def test_the_gradient_is_that_of_the_loss_of_the_moved_text(cell):
    model = model_of(cell, window=2 if cell == "mingru" else 1)
    expected, _ = adversarial_oracle(model, 0.1, 0.5)
    gradients, value, logits = gradients_of(model, adversarial=0.1, adversarial_weight=0.5)
    assert_close(dense(gradients), expected)
    np.testing.assert_allclose(logits, model(IDS), atol=1e-6)
    assert float(value) == pytest.approx(float(objective(model(IDS))))


def test_in_parts_of_a_batch_it_is_the_same(monkeypatch):
    model = model_of()
    expected, _ = adversarial_oracle(model, 0.1, 1.0)
    monkeypatch.setattr(embedded_batch, "batch_parts", lambda directions: 2)
    assert_close(dense(gradients_of(model, adversarial=0.1).gradients), expected)


# The virtual kind


@pytest.mark.parametrize("multi_label", [False, True])
def test_the_virtual_gradient_is_that_of_the_divergence(multi_label):
    model, eps = model_of("gru", "mean"), 0.05
    before = noise_of(model)
    (d,) = EmbeddedBatch(model, tf.constant(IDS), random=True).random
    set_noise(model, before)

    def kl(moved):
        clean = tf.stop_gradient(logits_at(model, 0.0))
        if multi_label:
            p, q = tf.sigmoid(clean), tf.sigmoid(moved)
            both = p * tf.math.log(p / q) + (1 - p) * tf.math.log((1 - p) / (1 - q))
            losses = tf.reduce_mean(both, axis=1)
        else:
            p, q = tf.nn.softmax(clean), tf.nn.softmax(moved)
            losses = tf.reduce_sum(p * tf.math.log(p / q), axis=1)
        return tf.reduce_sum(COUNTED * losses) / 3

    r = tf.Variable(scaled(model, d.numpy() * (IDS != 0)[:, :, None], eps))
    with tf.GradientTape() as tape:
        value = kl(logits_at(model, r))
    moved = scaled(model, tape.gradient(value, r).numpy(), eps)
    with tf.GradientTape() as tape:
        value = objective(logits_at(model, 0.0)) + kl(logits_at(model, moved))
    expected = dense(tape.gradient(value, model.trainable_variables))
    actual = dense(gradients_of(model, vat=eps, multi_label=multi_label).gradients)
    assert_close(actual, expected, atol=2e-4)
    plain = dense(gradients_of(model, entropy=0.0).gradients)
    assert any(np.abs(a - b).max() > 1e-3 for a, b in zip(actual, plain, strict=True))


def test_a_model_that_always_says_the_same_is_left_alone_by_the_virtual_part():
    model = model_of()
    model.classify.kernel.assign(tf.zeros_like(model.classify.kernel))
    both = [dense(gradients_of(model, vat=vat).gradients) for vat in (0.0, 0.5)]
    assert_close(*both, atol=0.0)


def test_unlabelled_texts_count_and_empty_rows_do_not():
    model = model_of("none", "mean")
    more = np.concatenate([IDS[:2] % 9, np.zeros_like(IDS[:2])])
    actual = dense(gradients_of(model, unlabelled=more, entropy=0.7).gradients)
    with tf.GradientTape() as tape:
        value = objective(model(IDS))
        for ids, rows in ((IDS, 3), (more, 2)):
            p = tf.nn.softmax(model(ids)[:rows])
            value -= 0.7 / 3 * tf.reduce_sum(p * tf.math.log(p))
    assert_close(actual, dense(tape.gradient(value, model.trainable_variables)))


@pytest.mark.thorough
def test_every_third_update_has_the_virtual_part_three_times_as_strong():
    settings = {"unlabelled": IDS[:2], "entropy": 0.1}
    for update in (0, 3, 4, 5):
        model = model_of()
        actual = gradients_of(model, vat=0.1, vat_every=3, update=update, **settings)
        model = model_of()
        if update % 3:
            expected = dense(gradients_of(model, entropy=0.1).gradients)
        else:
            # The virtual part and the unlabelled texts count three times, the labels once.
            every = dense(gradients_of(model, vat=0.1, **settings).gradients)
            plain = dense(gradients_of(model_of(), entropy=0.1).gradients)
            expected = [3 * both - 2 * one for both, one in zip(every, plain, strict=True)]
        assert_close(dense(actual.gradients), expected)


@pytest.mark.thorough
def test_every_second_update_in_a_graph(tmp_path):
    data = labelled_ids(24)
    ours = trainer(tmp_path, train=data, vat=0.05, vat_every=2, epochs=6)
    rows = fit(ours)
    assert rows[-1]["valid_loss"] < 0.9 * rows[0]["valid_loss"]


# In the training


@pytest.mark.thorough
@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize(
    "settings",
    [
        {"vat": 0.1, "entropy": 0.1, "accumulate": 2},
        pytest.param(
            {"adversarial": 0.1, "vat": 0.1, "precision": "float16"}, marks=pytest.mark.thorough
        ),
    ],
)
def test_a_training_that_was_interrupted_continues_to_the_same_bits(tmp_path, settings):
    noise = {"head": "mean", "embedding_dropout": 0.2, "dropout": 0.2, "word_dropout": 0.1}

    def start(folder, **more):
        model, two_batches = classifier(**noise), labelled_ids(12)
        return trainer(folder, model=model, train=two_batches, epochs=2, **settings, **more)

    whole = start(tmp_path / "whole")
    history = fit(whole)
    with pytest.raises(KeyboardInterrupt):
        fit(start(tmp_path, should_stop=stop_after(3)))
    again = start(tmp_path)
    again.resume(QUIET)
    assert fit(again) == history
    for first, second in zip(whole.model.get_weights(), again.model.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.thorough
def test_half_precision_is_trained_in_a_graph(tmp_path):
    settings: dict[str, Any] = {"adversarial": 0.1, "vat": 0.1, "precision": "float16"}
    (row,) = fit(trainer(tmp_path, model=classifier(head="mean"), epochs=1, **settings))
    assert np.isfinite([row["train_loss"], row["valid_loss"]]).all()


@pytest.mark.parametrize("name", ["adversarial", "vat", "entropy"])
def test_it_needs_whole_texts(name):
    with pytest.raises(ConfigError, match=r"need each text as a whole, expected no `tbptt`"):
        ClassifierRunConfig.of(tbptt="8,8", **{name: 0.1})


@pytest.mark.thorough
def test_multi_label_training_learns(tmp_path):
    data = labelled_ids(multi_label=True)
    ours = trainer(tmp_path, train=data, multi_label=True, vat=0.05, entropy=0.01, epochs=8)
    rows = fit(ours)
    assert rows[-1]["valid_loss"] < 0.7 * rows[0]["valid_loss"]
