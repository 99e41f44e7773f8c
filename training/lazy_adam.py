"""Adam for models most of whose weights are rows of an embedding."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

__all__ = ["LazyAdam", "unique_rows"]


@keras.saving.register_keras_serializable(package="textrnn")
class LazyAdam(keras.optimizers.Adam):
    """Adam (Kingma & Ba 2015) that touches only those rows of an embedding that a batch used.

    A dense Adam goes on moving a row for some twenty steps after each use, by its momentum: ten
    times as far in all, so that a rare token's row learns its few texts by heart. And its cost
    grows with the vocabulary. Where the gradient is a `tf.IndexedSlices` of distinct rows, here
    the moments and weights of the other rows stay as they are; every other weight is updated as
    Adam does. Arguments are those of `keras.optimizers.Adam`.
    """

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """One update of one variable."""
        if not isinstance(gradient, tf.IndexedSlices):
            super().update_step(gradient, variable, learning_rate)
            return
        rows = gradient.indices
        dtype = variable.dtype
        rate = tf.cast(learning_rate, dtype)
        steps = tf.cast(self.iterations + 1, dtype)
        beta_1, beta_2 = tf.cast(self.beta_1, dtype), tf.cast(self.beta_2, dtype)
        rate *= tf.sqrt(1 - beta_2**steps) / (1 - beta_1**steps)
        place = self._get_variable_index(variable)
        moments, squares = self._momentums[place].value, self._velocities[place].value
        m = beta_1 * tf.gather(moments, rows) + (1 - beta_1) * gradient.values
        v = beta_2 * tf.gather(squares, rows) + (1 - beta_2) * tf.square(gradient.values)
        moments.scatter_update(tf.IndexedSlices(m, rows))
        squares.scatter_update(tf.IndexedSlices(v, rows))
        change = rate * m / (tf.sqrt(v) + self.epsilon)
        # scatter_sub would do the same at twice the time.
        variable.scatter_update(tf.IndexedSlices(tf.gather(variable, rows) - change, rows))


def unique_rows(gradient: Any) -> Any:
    """The gradient with the slices of one row summed; a dense gradient as it is."""
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    rows, place = tf.unique(gradient.indices)
    values = tf.math.unsorted_segment_sum(gradient.values, place, tf.size(rows))
    return tf.IndexedSlices(values, rows, gradient.dense_shape)
