import numpy as np
import pytest
import tensorflow as tf
from tiny import QUIET, classifier, fit, labelled_ids, random_classifier, stop_after, trainer

from textrnn.config.classifier import TrainingConfig
from textrnn.errors import ConfigError
from textrnn.training.update.adversarial import Adversary, _Batch, divergence, entropy

IDS = np.random.default_rng(0).integers(1, 10, size=(4, 5)).astype(np.int32)
IDS[1, 3:] = IDS[2, 1:] = IDS[3, :] = 0
TARGETS = np.eye(2, dtype=np.float32)[[0, 1, 1, 0]]
COUNTED = tf.constant([1.0, 1.0, 1.0, 0.0])
NOISE = {"embedding_dropout": 0.4, "dropout": 0.3, "recurrent_dropout": 0.3, "word_dropout": 0.3}


def objective(logits):
    each = tf.nn.softmax_cross_entropy_with_logits(TARGETS, logits)
    return tf.reduce_sum(COUNTED * each) / 3


def adversary(model, *, multi_label=False, **settings) -> Adversary:
    return Adversary(model, TrainingConfig(**settings), multi_label=multi_label, scale=1 / 3)


def dense(gradients) -> list[np.ndarray]:
    return [tf.convert_to_tensor(gradient).numpy() for gradient in gradients]


def assert_close(found, expected, *, atol=1e-5) -> None:
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=atol, rtol=1e-4)


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
    ours = adversary(model, adversarial=0.1, adversarial_weight=0.5)
    gradients, value, logits = ours.gradients(IDS, objective, counted=COUNTED)
    assert_close(dense(gradients), expected)
    np.testing.assert_allclose(logits, model(IDS), atol=1e-6)
    assert float(value) == pytest.approx(float(objective(model(IDS))))


def test_in_parts_of_a_batch_it_is_the_same(monkeypatch):
    model = model_of()
    expected, _ = adversarial_oracle(model, 0.1, 1.0)
    monkeypatch.setattr("textrnn.training.update.adversarial.batch_parts", lambda directions: 2)
    ours = adversary(model, adversarial=0.1)
    assert_close(dense(ours.gradients(IDS, objective, counted=COUNTED)[0]), expected)


def test_the_move_has_the_stated_norm_and_raises_the_loss():
    model = model_of()
    batch = _Batch(model, tf.constant(IDS), random=False)
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
    batch = _Batch(model, tf.constant(IDS), random=False)
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
        batch = _Batch(model, tf.constant(IDS), random=False)
        _, slopes = batch.learn(objective)
        moved.append(batch.logits(batch.moves(slopes, 0.1)).numpy())
    np.testing.assert_allclose(moved[0], moved[1], atol=1e-5)


# The virtual kind


@pytest.mark.parametrize("multi_label", [False, True])
def test_the_virtual_gradient_is_that_of_the_divergence(multi_label):
    model, eps = model_of("gru", "mean"), 0.05
    before = noise_of(model)
    (d,) = _Batch(model, tf.constant(IDS), random=True).random
    set_noise(model, before)

    def kl(moved):
        clean = tf.stop_gradient(logits_at(model, 0.0))
        if multi_label:
            p, q = tf.sigmoid(clean), tf.sigmoid(moved)
            both = p * tf.math.log(p / q) + (1 - p) * tf.math.log((1 - p) / (1 - q))
            each = tf.reduce_mean(both, axis=1)
        else:
            p, q = tf.nn.softmax(clean), tf.nn.softmax(moved)
            each = tf.reduce_sum(p * tf.math.log(p / q), axis=1)
        return tf.reduce_sum(COUNTED * each) / 3

    r = tf.Variable(scaled(model, d.numpy() * (IDS != 0)[:, :, None], eps))
    with tf.GradientTape() as tape:
        value = kl(logits_at(model, r))
    moved = scaled(model, tape.gradient(value, r).numpy(), eps)
    with tf.GradientTape() as tape:
        value = objective(logits_at(model, 0.0)) + kl(logits_at(model, moved))
    expected = dense(tape.gradient(value, model.trainable_variables))
    ours = adversary(model, vat=eps, multi_label=multi_label)
    found = dense(ours.gradients(IDS, objective, counted=COUNTED)[0])
    assert_close(found, expected, atol=2e-4)
    plain = dense(adversary(model, entropy=0.0).gradients(IDS, objective, counted=COUNTED)[0])
    assert any(np.abs(a - b).max() > 1e-3 for a, b in zip(found, plain, strict=True))


@pytest.mark.parametrize("multi_label", [False, True])
def test_divergence_and_entropy(rng, multi_label):
    logits = tf.constant(rng.normal(size=(50, 3)), tf.float32)
    other = tf.constant(rng.normal(size=(50, 3)), tf.float32)
    apart = divergence(logits, other, multi_label=multi_label).numpy()
    assert (apart > 0).all()
    assert not divergence(logits, logits, multi_label=multi_label).numpy().any()
    even = np.log(2) if multi_label else np.log(3)
    flat = entropy(tf.zeros([1, 3]), multi_label=multi_label)
    assert float(flat[0]) == pytest.approx(even)
    found = entropy(logits, multi_label=multi_label).numpy()
    assert ((found > 0) & (found < even)).all()
    sure = entropy(tf.constant([[200.0, -200.0, -200.0]]), multi_label=multi_label)
    assert float(sure[0]) == pytest.approx(0.0, abs=1e-6)


def test_a_model_that_always_says_the_same_is_left_alone_by_the_virtual_part():
    model = model_of()
    model.classify.kernel.assign(tf.zeros_like(model.classify.kernel))
    both = [
        dense(adversary(model, vat=vat).gradients(IDS, objective, counted=COUNTED)[0])
        for vat in (0.0, 0.5)
    ]
    assert_close(*both, atol=0.0)


def test_unlabelled_texts_count_and_empty_rows_do_not():
    model = model_of("none", "mean")
    more = np.concatenate([IDS[:2] % 9, np.zeros_like(IDS[:2])])
    ours = adversary(model, entropy=0.7)
    found = dense(ours.gradients(IDS, objective, counted=COUNTED, unlabelled=tf.constant(more))[0])
    with tf.GradientTape() as tape:
        value = objective(model(IDS))
        for ids, rows in ((IDS, 3), (more, 2)):
            p = tf.nn.softmax(model(ids)[:rows])
            value -= 0.7 / 3 * tf.reduce_sum(p * tf.math.log(p))
    assert_close(found, dense(tape.gradient(value, model.trainable_variables)))


# Noise


def test_all_readings_of_a_text_have_one_noise():
    model = model_of("lstm", "mean", layers=2, **NOISE)
    batch = _Batch(model, tf.constant(IDS), random=True)
    first = batch.logits()
    after = noise_of(model)
    np.testing.assert_array_equal(first, batch.logits())
    for one, other in zip(after, noise_of(model), strict=True):
        np.testing.assert_array_equal(one, other)
    other = _Batch(model, tf.constant(IDS), random=True)
    assert np.abs(first - other.logits()).max() > 1e-3
    assert np.abs(batch.random[0] - other.random[0]).max() > 1e-3


def test_with_noise_the_gradient_lowers_what_is_asked():
    """The same noise in the whole step: a small step along the gradient lowers the objective."""
    model = model_of("lstm", "mean", layers=2, **NOISE)
    before = noise_of(model)

    def start():
        set_noise(model, before)
        batch = _Batch(model, tf.constant(IDS), random=False)
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


# In the training


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
def test_a_training_that_was_interrupted_goes_on_to_the_same_bits(tmp_path, settings):
    noise = {"head": "mean", "embedding_dropout": 0.2, "dropout": 0.2, "word_dropout": 0.1}

    def start(folder, **more):
        model = classifier(**noise)
        return trainer(folder, model=model, epochs=2, **settings, **more)

    whole = start(tmp_path / "whole")
    history = fit(whole)
    with pytest.raises(KeyboardInterrupt):
        fit(start(tmp_path, should_stop=stop_after(4)))
    again = start(tmp_path)
    again.resume(QUIET)
    assert fit(again) == history
    for one, other in zip(whole.model.get_weights(), again.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.thorough
def test_half_precision_is_trained_in_a_graph(tmp_path):
    settings = {"adversarial": 0.1, "vat": 0.1, "precision": "float16"}
    (row,) = fit(trainer(tmp_path, model=classifier(head="mean"), epochs=1, **settings))
    assert np.isfinite([row["train_loss"], row["valid_loss"]]).all()


@pytest.mark.parametrize("name", ["adversarial", "vat", "entropy"])
def test_it_needs_whole_texts(name):
    with pytest.raises(ConfigError, match=r"need each text as a whole, expected no `tbptt`"):
        TrainingConfig(tbptt="8,8", **{name: 0.1})


def test_multi_label_training_learns(tmp_path):
    data = labelled_ids(multi_label=True)
    ours = trainer(tmp_path, train=data, multi_label=True, vat=0.05, entropy=0.01, epochs=8)
    rows = fit(ours)
    assert rows[-1]["valid_loss"] < 0.7 * rows[0]["valid_loss"]
