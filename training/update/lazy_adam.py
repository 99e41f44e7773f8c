"""Adam for models most of whose weights are rows of an embedding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from textrnn.keras_internals import ExtensibleAdam

__all__ = ["LazyAdam", "RowGradient", "added", "row_gradient", "unique_rows"]


class RowGradient(NamedTuple):
    """The gradient of an embedding `[V, E]`, or of a bias `[V]`, in static shapes, for a TPU.

    Attributes:
        values: `[V, E]`, zero in the rows that the batch did not use.
        touched: `[V, 1]`, or `[V]`: 1 in the rows that it used, 0 in the others.
    """

    values: tf.Tensor
    touched: tf.Tensor


@keras.saving.register_keras_serializable(package="textrnn")
class LazyAdam(ExtensibleAdam):
    """Adam (Kingma & Ba 2015) that touches only those rows of an embedding that a batch used.

    A dense Adam goes on moving a row for some twenty steps after each use, by its momentum: ten
    times as far in all, so that a rare token's row learns its few texts by heart. And its cost
    grows with the vocabulary. Where the gradient is a `tf.IndexedSlices` of distinct rows, or a
    `RowGradient`, here the moments and weights of the other rows stay as they are; every other
    weight is updated as Adam does.

    Gradients must have been summed over the replicas of a strategy already: clipping by the
    global norm needs the sum, and Keras would sum only when the gradient is applied.

    The average of the weights, with `use_ema`, forgets its beginning: its momentum is
    `min(ema_momentum, t / (9 + t))` after t updates, so that it serves short trainings too.
    `set_rates` gives variables learning rates of their own, by which they decay too. Arguments are
    those of `keras.optimizers.Adam`.
    """

    _rates: tf.Variable | None = None

    def set_rates(self, shares: Sequence[float]) -> None:
        """What share of the learning rate each trainable variable has, in the order of `build`.

        The first call must come before the first update.
        """
        if self._rates is None:
            self._rates = tf.Variable(shares, dtype=tf.float32, trainable=False)
        else:
            self._rates.assign(shares)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """One update of one variable."""
        if self._rates is not None:
            share = self._rates[self.place_of(variable)]
            learning_rate = tf.cast(learning_rate, tf.float32) * share
        if self.weight_decay is not None and self.decays(variable):
            decay = tf.cast(self.weight_decay, variable.dtype)
            variable.assign_sub(variable * decay * tf.cast(learning_rate, variable.dtype))
        if isinstance(gradient, RowGradient):
            self._update_rows(gradient, variable, learning_rate)
            return
        if not isinstance(gradient, tf.IndexedSlices):
            super().update_step(gradient, variable, learning_rate)
            return
        rows = gradient.indices
        rate, beta_1, beta_2 = self._factors(variable.dtype, learning_rate)
        moments, squares = (slot.value for slot in self.slots_of(variable))
        m = beta_1 * tf.gather(moments, rows) + (1 - beta_1) * gradient.values
        v = beta_2 * tf.gather(squares, rows) + (1 - beta_2) * tf.square(gradient.values)
        moments.scatter_update(tf.IndexedSlices(m, rows))
        squares.scatter_update(tf.IndexedSlices(v, rows))
        change = rate * m / (tf.sqrt(v) + self.epsilon)
        # scatter_sub would do the same at twice the time.
        variable.scatter_update(tf.IndexedSlices(tf.gather(variable, rows) - change, rows))

    def apply_weight_decay(self, variables: Any) -> None:
        """Nothing: `update_step` does it, which knows each variable's own learning rate."""

    def _update_rows(self, gradient: RowGradient, variable: Any, learning_rate: Any) -> None:
        """The same in static shapes: all rows are computed, the touched ones change."""
        rate, beta_1, beta_2 = self._factors(variable.dtype, learning_rate)
        moments, squares = (slot.value for slot in self.slots_of(variable))
        touched = gradient.touched
        m = moments + touched * (1 - beta_1) * (gradient.values - moments)
        v = squares + touched * (1 - beta_2) * (tf.square(gradient.values) - squares)
        moments.assign(m)
        squares.assign(v)
        variable.assign_sub(touched * rate * m / (tf.sqrt(v) + self.epsilon))

    def _factors(self, dtype: Any, learning_rate: Any) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """The rate, corrected for the moments' start at zero, and the two betas."""
        steps = tf.cast(self.iterations + 1, dtype)
        beta_1, beta_2 = tf.cast(self.beta_1, dtype), tf.cast(self.beta_2, dtype)
        rate = tf.cast(learning_rate, dtype) * tf.sqrt(1 - beta_2**steps) / (1 - beta_1**steps)
        return rate, beta_1, beta_2

    def sum_over_replicas(self, gradients_and_variables: Any) -> Any:
        """Returns the gradients unchanged: they have been summed already."""
        return gradients_and_variables

    def update_averages(self, variables: Any) -> None:
        """Updates the averages with the momentum of the class's docstring."""
        updates = tf.cast(self.iterations, tf.float32)
        momentum = tf.minimum(self.ema_momentum, updates / (9 + updates))
        for variable, average in zip(variables, self.averages, strict=True):
            average.assign_add((1 - momentum) * (variable - average))


def unique_rows(gradient: Any) -> Any:
    """The gradient with the slices of one row summed; a dense gradient as it is."""
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    rows, place = tf.unique(gradient.indices)
    values = tf.math.unsorted_segment_sum(gradient.values, place, tf.size(rows))
    return tf.IndexedSlices(values, rows, gradient.dense_shape)


def row_gradient(gradient: Any, rows: int) -> Any:
    """A sparse gradient of a variable `[rows, ...]` as a `RowGradient`; a dense one as it is."""
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    values = tf.math.unsorted_segment_sum(gradient.values, gradient.indices, rows)
    used = tf.ones_like(gradient.indices, gradient.values.dtype)
    touched = tf.maximum(tf.math.unsorted_segment_max(used, gradient.indices, rows), 0.0)
    return RowGradient(values, tf.reshape(touched, [rows, *[1] * (values.shape.rank - 1)]))


def added(one: Any, other: Any) -> Any:
    """The sum of two gradients, of which there may be one only."""
    if one is None:
        return other
    if isinstance(other, RowGradient):
        return RowGradient(one.values + other.values, tf.maximum(one.touched, other.touched))
    if isinstance(other, tf.IndexedSlices):
        values = tf.concat([one.values, other.values], axis=0)
        indices = tf.concat([one.indices, other.indices], axis=0)
        return tf.IndexedSlices(values, indices, other.dense_shape)
    return one + other
