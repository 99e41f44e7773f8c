import keras
import numpy as np
import pytest
import tensorflow as tf

from textrnn.training.update.lazy_adam import LazyAdam

ROWS, UNITS = 5, 2


def table() -> keras.Variable:
    return keras.Variable(np.arange(ROWS * UNITS, dtype=np.float32).reshape(ROWS, UNITS))


def slices(values, rows) -> tf.IndexedSlices:
    return tf.IndexedSlices(
        tf.constant(values, tf.float32), tf.constant(rows), tf.constant([ROWS, UNITS])
    )


def apply(optimizer, gradients) -> np.ndarray:
    variable = table()
    optimizer.build([variable])
    for gradient in gradients:
        optimizer.apply([gradient], [variable])
    return variable.numpy()


@pytest.fixture
def gradients(rng) -> list[np.ndarray]:
    return [rng.normal(size=(ROWS, UNITS)) for _ in range(4)]


def test_where_every_row_is_used_it_is_adam(gradients):
    expected = apply(keras.optimizers.Adam(0.1), [tf.constant(g, tf.float32) for g in gradients])
    order = [3, 1, 0, 4, 2]
    ours = apply(LazyAdam(0.1), [slices(g[order], order) for g in gradients])
    np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-6)


def test_of_dense_weights_it_is_adam(gradients):
    dense = [tf.constant(g, tf.float32) for g in gradients]
    expected = apply(keras.optimizers.Adam(0.1), dense)
    np.testing.assert_array_equal(apply(LazyAdam(0.1), dense), expected)


def test_a_row_that_is_not_used_stays_and_keeps_its_moments(gradients):
    first, second, *_ = (g[:2] for g in gradients)
    variable = table()
    before = variable.numpy()
    optimizer = LazyAdam(0.1)
    optimizer.build([variable])
    optimizer.apply([slices(first, [0, 3])], [variable])
    once = variable.numpy()
    optimizer.apply([slices(second, [3, 1])], [variable])
    twice = variable.numpy()
    assert np.flatnonzero((once != before).any(axis=1)).tolist() == [0, 3]
    assert np.flatnonzero((twice != once).any(axis=1)).tolist() == [1, 3]
    moments = next(v for v in optimizer.variables if "momentum" in v.path).numpy()
    np.testing.assert_allclose(moments[0], 0.1 * first[0], rtol=1e-5)
    np.testing.assert_allclose(moments[3], 0.09 * first[1] + 0.1 * second[0], rtol=1e-5)
    np.testing.assert_array_equal(moments[[2, 4]], 0)


def test_it_works_within_a_graph(gradients):
    variable, optimizer = table(), LazyAdam(0.1)
    optimizer.build([variable])
    step = tf.function(lambda values: optimizer.apply([slices_of(values)], [variable]))

    def slices_of(values):
        return tf.IndexedSlices(values, tf.constant([4, 0]), tf.constant([ROWS, UNITS]))

    step(tf.constant(gradients[0][:2], tf.float32))
    eager = apply(LazyAdam(0.1), [slices(gradients[0][:2], [4, 0])])
    np.testing.assert_allclose(variable.numpy(), eager, rtol=1e-6)
