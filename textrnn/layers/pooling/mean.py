"""The head that takes the mean of the states."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import tensorflow as tf

from textrnn.layers.cells import States
from textrnn.layers.pooling.base import Pooling

__all__ = ["MeanPooling", "MeanSummary"]

SUM_STEPS = 256
"""The number of states that are summed in one stage."""


class MeanSummary(NamedTuple):
    """The summary of the states that `MeanPooling` has read."""

    total: tf.Tensor
    """The sum of the states, `[B, H]`."""

    lost: tf.Tensor
    """The rounding error of the sum, `[B, H]` (Kahan 1965, "Further remarks on reducing truncation
    errors"). Without it the mean of a long text drifts."""

    count: tf.Tensor
    """The number of states, `[B, 1]` of int32."""


@keras.saving.register_keras_serializable(package="textrnn")
class MeanPooling(Pooling):
    """The mean of all states: `c = sum_t h_t / T`.

    >>> MeanPooling()(tf.constant([[[1.0], [5.0], [3.0]]]))
    <tf.Tensor: shape=(1, 1), dtype=float32, numpy=array([[3.]], dtype=float32)>
    """

    def call(self, states: tf.Tensor, mask: tf.Tensor | None = None) -> tf.Tensor:
        """Pools states `[B, T, H]` with a mask `[B, T]` to `[B, H]`."""
        if mask is None:
            return tf.reduce_mean(states, axis=1)
        total = _sum_over_time(tf.where(mask[:, :, tf.newaxis], states, 0))
        count = tf.reduce_sum(tf.cast(mask, states.dtype), axis=1, keepdims=True)
        return total / tf.maximum(count, 1)

    def start(self, batch_size: Any, units: int) -> States:
        """Returns a summary of no state; see `Pooling.start`."""
        zeros = tf.zeros([batch_size, units], self.compute_dtype)
        return MeanSummary(zeros, zeros, tf.zeros([batch_size, 1], tf.int32))

    def add(self, summary: States, states: tf.Tensor, mask: tf.Tensor) -> States:
        """Adds states to a summary; see `Pooling.add`."""
        total, lost, count = summary
        more = tf.reduce_sum(tf.where(mask[:, :, tf.newaxis], states, 0), axis=1) - lost
        new = total + more
        count += tf.reduce_sum(tf.cast(mask, tf.int32), axis=1, keepdims=True)
        return MeanSummary(new, (new - total) - more, count)

    def single(self, states: tf.Tensor, mask: tf.Tensor) -> States:
        """Returns the summary of every state; see `Pooling.single`."""
        real = mask[:, :, tf.newaxis]
        total = tf.where(real, states, 0)
        return MeanSummary(total, tf.zeros_like(states), tf.cast(real, tf.int32))

    def merge(self, summary: States, later: States, *, any_later: tf.Tensor) -> States:
        """Merges two summaries; see `Pooling.merge`."""
        pairs = zip(summary, later, strict=True)
        return MeanSummary(*(before + after for before, after in pairs))

    def finish(self, summary: States) -> tf.Tensor:
        """Returns the pooled vector; see `Pooling.finish`."""
        total, _, count = summary
        return total / tf.cast(tf.maximum(count, 1), total.dtype)


def _sum_over_time(states: tf.Tensor) -> tf.Tensor:
    """Sums states `[B, T, H]` over time; many states in two stages, which rounds less."""
    _, steps, size = states.shape
    if steps is not None and steps <= SUM_STEPS:
        return tf.reduce_sum(states, axis=1)
    batch, steps = tf.shape(states)[0], tf.shape(states)[1]
    parts = (steps + SUM_STEPS - 1) // SUM_STEPS
    states = tf.pad(states, [[0, 0], [0, parts * SUM_STEPS - steps], [0, 0]])
    states = tf.reshape(states, [batch, parts, SUM_STEPS, size])
    return tf.reduce_sum(tf.reduce_sum(states, axis=2), axis=1)
