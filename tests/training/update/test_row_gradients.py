import numpy as np
import pytest
import tensorflow as tf

from textrnn.training.update.row_gradients import (
    RowGradient,
    add_gradients,
    distinct_rows,
    gradient_values,
    row_gradient,
    scale_gradient,
    unique_rows,
)

ROWS, UNITS = 5, 2
VALUES = [[1, 2], [10, 20], [100, 200]]


def slices(values, rows) -> tf.IndexedSlices:
    return tf.IndexedSlices(
        tf.constant(values, tf.float32), tf.constant(rows), tf.constant([ROWS, UNITS])
    )


def dense(gradient) -> np.ndarray:
    values = gradient.values if isinstance(gradient, RowGradient) else gradient
    return tf.convert_to_tensor(values).numpy()


def every_form() -> list:
    gradient = slices(VALUES, [3, 1, 3])
    return [tf.convert_to_tensor(gradient), gradient, row_gradient(gradient, ROWS)]


def test_slices_of_one_row_are_summed():
    summed = unique_rows(slices([[1, 2], [10, 20], [100, 200]], [3, 1, 3]))
    assert summed.indices.numpy().tolist() == [3, 1]
    assert summed.values.numpy().tolist() == [[101, 202], [10, 20]]
    np.testing.assert_array_equal(
        tf.convert_to_tensor(summed),
        tf.convert_to_tensor(slices([[1, 2], [10, 20], [100, 200]], [3, 1, 3])),
    )


def test_a_dense_gradient_stays_as_it_is():
    gradient = tf.constant([1.0])
    assert unique_rows(gradient) is gradient


def test_a_row_gradient_marks_the_rows_that_were_used():
    gradient_rows = row_gradient(slices(VALUES, [3, 1, 3]), ROWS)
    assert gradient_rows.touched.numpy().tolist() == [[0], [1], [0], [1], [0]]
    np.testing.assert_array_equal(gradient_rows.values, dense(slices(VALUES, [3, 1, 3])))


def test_gradients_of_every_form_are_added_and_scaled():
    expected = dense(slices(VALUES, [3, 1, 3]))
    for gradient in every_form():
        assert add_gradients(None, gradient) is gradient
        np.testing.assert_array_equal(dense(add_gradients(gradient, gradient)), 2 * expected)
        np.testing.assert_array_equal(dense(scale_gradient(gradient, 0.5)), expected / 2)
        assert float(tf.reduce_sum(gradient_values(gradient))) == 333.0


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_sum_names_each_row_once(place):
    gradient = every_form()[place]
    gradient_rows = distinct_rows(add_gradients(gradient, gradient))
    np.testing.assert_array_equal(dense(gradient_rows), 2 * dense(gradient))
    if isinstance(gradient_rows, RowGradient):
        assert gradient_rows.touched.numpy().max() == 1.0
    elif isinstance(gradient_rows, tf.IndexedSlices):
        assert gradient_rows.indices.numpy().tolist() == [3, 1]
