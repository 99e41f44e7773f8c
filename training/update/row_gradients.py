"""Gradients of variables whose rows a batch uses only in part, such as an embedding.

A gradient has one of three forms: a dense tensor, a `tf.IndexedSlices`, or a `RowGradient`. The
functions here accept all three.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

__all__ = [
    "RowGradient",
    "add_gradients",
    "distinct_rows",
    "gradient_values",
    "row_gradient",
    "scale_gradient",
    "unique_rows",
]


class RowGradient(NamedTuple):
    """The gradient of an embedding `[V, E]`, or of a bias `[V]`, in static shapes for a TPU.

    >>> slices = tf.IndexedSlices(tf.constant([[1.0], [2.0]]), tf.constant([2, 2]), [3, 1])
    >>> row_gradient(slices, 3).values.numpy().ravel().tolist()
    [0.0, 0.0, 3.0]

    Attributes:
        values: `[V, E]`, zero in the rows that the batch did not use.
        touched: `[V, 1]`, or `[V]`: 1 in the rows that the batch used, 0 in the others.
    """

    values: tf.Tensor
    touched: tf.Tensor


def unique_rows(gradient: Any) -> Any:
    """Returns a gradient whose slices of one row are summed; a dense gradient stays as it is."""
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    rows, place = tf.unique(gradient.indices)
    values = tf.math.unsorted_segment_sum(gradient.values, place, tf.size(rows))
    return tf.IndexedSlices(values, rows, gradient.dense_shape)


def row_gradient(gradient: Any, rows: int) -> Any:
    """Converts slices to a `RowGradient`; a dense gradient stays as it is.

    Args:
        gradient: The gradient of a variable `[rows, ...]`.
        rows: The number of rows of the variable.
    """
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    values = tf.math.unsorted_segment_sum(gradient.values, gradient.indices, rows)
    used = tf.ones_like(gradient.indices, gradient.values.dtype)
    touched = tf.maximum(tf.math.unsorted_segment_max(used, gradient.indices, rows), 0.0)
    return RowGradient(values, tf.reshape(touched, [rows, *[1] * (values.shape.rank - 1)]))


def distinct_rows(gradient: Any) -> Any:
    """Returns a gradient that names each row once, after a sum over micro-batches or replicas."""
    if isinstance(gradient, RowGradient):
        return RowGradient(gradient.values, tf.minimum(gradient.touched, 1.0))
    return unique_rows(gradient)


def add_gradients(total: Any, gradient: Any) -> Any:
    """Returns the sum of two gradients of the same form.

    Args:
        total: The sum so far; None before the first gradient.
        gradient: The gradient to add.
    """
    if total is None:
        return gradient
    if isinstance(gradient, RowGradient):
        touched = tf.maximum(total.touched, gradient.touched)
        return RowGradient(total.values + gradient.values, touched)
    if isinstance(gradient, tf.IndexedSlices):
        values = tf.concat([total.values, gradient.values], axis=0)
        indices = tf.concat([total.indices, gradient.indices], axis=0)
        return tf.IndexedSlices(values, indices, gradient.dense_shape)
    return total + gradient


def gradient_values(gradient: Any) -> tf.Tensor:
    """Returns the numbers of a gradient of any form."""
    return gradient.values if isinstance(gradient, tf.IndexedSlices | RowGradient) else gradient


def scale_gradient(gradient: Any, factor: Any) -> Any:
    """Returns a gradient of the same form, multiplied by a factor."""
    if isinstance(gradient, RowGradient):
        return RowGradient(factor * gradient.values, gradient.touched)
    if isinstance(gradient, tf.IndexedSlices):
        return tf.IndexedSlices(factor * gradient.values, gradient.indices, gradient.dense_shape)
    return factor * gradient
