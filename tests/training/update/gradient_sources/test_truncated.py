import numpy as np
import pytest
import tensorflow as tf
from tiny import each_pair, random_classifier, without_graphs

from textrnn.errors import ConfigError
from textrnn.training.update.gradient_sources.truncated import truncated_gradients
from textrnn.training.update.row_gradients import RowGradient

IDS = np.random.default_rng(0).integers(1, 10, size=(4, 11)).astype(np.int32)
IDS[1, 7:] = IDS[2, 1:] = IDS[3, :] = 0
TARGETS = np.eye(2, dtype=np.float32)[[0, 1, 1, 0]]


def objective(logits):
    return tf.reduce_sum(tf.nn.softmax_cross_entropy_with_logits(TARGETS, logits))


def dense(gradient) -> np.ndarray:
    if isinstance(gradient, RowGradient):
        untouched = gradient.touched.numpy()[:, 0] == 0
        assert not gradient.values.numpy()[untouched].any()
        return gradient.values.numpy()
    return tf.convert_to_tensor(gradient).numpy()


def truncated(model, *, segment: int, reach: int, tensor: bool = False):
    @tf.function
    def compute(ids, steps):
        steps = steps if tensor else segment
        return truncated_gradients(model, ids, objective=objective, segment=steps, reach=reach)

    gradients, value, logits = compute(tf.constant(IDS), tf.constant(segment))
    return [dense(gradient) for gradient in gradients], float(value), logits.numpy()


def whole(model):
    with tf.GradientTape() as tape:
        logits = model(IDS)
        value = objective(logits)
    gradients = tape.gradient(value, model.trainable_variables)
    return [dense(gradient) for gradient in gradients], float(value), logits.numpy()


def assert_same(actual, expected) -> None:
    assert len(actual[0]) == len(expected[0])
    for first, second in zip(actual[0], expected[0], strict=True):
        np.testing.assert_allclose(first, second, atol=2e-5, rtol=1e-4)
    assert actual[1] == pytest.approx(expected[1], rel=1e-5)
    np.testing.assert_allclose(actual[2], expected[2], atol=1e-5)


def model_of(cell: str, head: str, **settings):
    return random_classifier(cell, head, **{"bidirectional": False, "window": 3, **settings})


@pytest.mark.thorough
@each_pair
def test_a_reach_as_long_as_the_text_gives_the_whole_gradient(cell, head):
    model = model_of(cell, head)
    assert_same(truncated(model, segment=3, reach=4), whole(model))


@pytest.mark.thorough
def test_the_gradient_needs_no_graph():
    model = model_of("mingru", "attention", window=1)
    with without_graphs():
        eager = truncated(model, segment=4, reach=2)
    assert_same(eager, truncated(model, segment=4, reach=2))


@pytest.mark.thorough
def test_a_segment_longer_than_the_text_is_the_text():
    model = model_of("lstm", "attention", layers=2, residual=True, layer_norm=True)
    assert_same(truncated(model, segment=12, reach=1), whole(model))


@pytest.mark.thorough
def test_the_length_of_a_segment_may_be_a_tensor():
    model = model_of("gru", "mean")
    expected = truncated(model, segment=4, reach=1)
    assert_same(truncated(model, segment=4, reach=1, tensor=True), expected)


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("cell", "head"),
    [
        ("gru", "attention"),
        pytest.param("mingru", "max", marks=pytest.mark.thorough),
        pytest.param("lstm", "last", marks=pytest.mark.slow),
        pytest.param("gru", "mean", marks=pytest.mark.slow),
    ],
)
def test_the_gradient_is_cut_where_a_segment_begins(cell, head):
    """The expected gradient: states are constants between segments, the summary is not."""
    model = model_of(cell, head, layers=2)
    segment = 4
    with tf.GradientTape() as tape:
        memory = model.start(len(IDS))
        for start in range(0, IDS.shape[1], segment):
            layers = tf.nest.map_structure(tf.stop_gradient, memory[:-1])
            logits, memory = model.advance((*layers, memory[-1]), IDS[:, start : start + segment])
        value = objective(logits)
    gradients = tape.gradient(value, model.trainable_variables)
    expected = [dense(gradient) for gradient in gradients], float(value), logits.numpy()
    actual = truncated(model, segment=segment, reach=1)
    assert_same(actual, expected)
    exact = whole(model)[0]
    assert any(np.abs(a - b).max() > 1e-6 for a, b in zip(actual[0], exact, strict=True))


@pytest.mark.thorough
def test_a_longer_reach_is_nearer_to_the_whole_gradient():
    model = model_of("gru", "last", window=1)
    exact = np.concatenate([gradient.ravel() for gradient in whole(model)[0]])
    distances = []
    for reach in (1, 2, 6):
        actual = np.concatenate([g.ravel() for g in truncated(model, segment=2, reach=reach)[0]])
        distances.append(float(np.linalg.norm(actual - exact)))
    assert distances[0] > distances[1] > 1e-3
    assert distances[2] < 1e-4


@pytest.mark.thorough
def test_dropout_is_the_same_in_both_readings():
    """With a reach as long as the text, segments of any length see one noise each: the gradient
    is that of a loss which is differentiable, so a small step along it lowers the loss."""
    model = model_of(
        "lstm", "mean", layers=2, embedding_dropout=0.4, dropout=0.3, recurrent_dropout=0.3
    )
    seeds = [v for v in model.non_trainable_variables if "seed_generator" in v.path]
    before = [seed.numpy() for seed in seeds]

    def again():
        for seed, value in zip(seeds, before, strict=True):
            seed.assign(value)
        return truncated(model, segment=3, reach=4)

    gradients, value, _ = again()
    assert again()[1] == value
    weights = model.get_weights()
    step = 1e-3
    square = sum(float((g**2).sum()) for g in gradients)
    moved = iter(gradients)
    trainable = {id(v) for v in model.trainable_variables}
    for variable in model.variables:
        if id(variable) in trainable:
            variable.assign(variable - step * next(moved))
    lower = again()[1]
    assert value - lower == pytest.approx(step * square, rel=0.1)
    model.set_weights(weights)


def test_a_bidirectional_model_says_that_it_cannot():
    model = random_classifier("gru", "mean")
    with pytest.raises(
        ConfigError, match="`bidirectional` must be off to read a text piece by piece"
    ):
        truncated_gradients(model, tf.constant(IDS), objective=objective, segment=3, reach=1)
