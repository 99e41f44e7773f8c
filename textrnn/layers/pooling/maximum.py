"""The head that takes the largest value of each unit."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from textrnn.layers.cells import States
from textrnn.layers.pooling.base import Pooling

__all__ = ["MaxPooling"]


@keras.saving.register_keras_serializable(package="textrnn")
class MaxPooling(Pooling):
    """The largest value of each unit: `c = max_t h_t`.

    >>> MaxPooling()(tf.constant([[[1.0], [5.0], [3.0]]]))
    <tf.Tensor: shape=(1, 1), dtype=float32, numpy=array([[5.]], dtype=float32)>
    """

    def call(self, states: tf.Tensor, mask: tf.Tensor | None = None) -> tf.Tensor:
        """Pools states `[B, T, H]` with a mask `[B, T]` to `[B, H]`."""
        if mask is None:
            return tf.reduce_max(states, axis=1)
        largest = tf.reduce_max(tf.where(mask[:, :, tf.newaxis], states, states.dtype.min), axis=1)
        return tf.where(tf.reduce_any(mask, axis=1, keepdims=True), largest, 0)

    def start(self, batch_size: Any, units: int) -> States:
        """Returns a summary: the largest values, before any state the smallest number."""
        dtype = tf.as_dtype(self.compute_dtype)
        return (tf.fill([batch_size, units], tf.constant(dtype.min, dtype)),)

    def add(self, summary: States, states: tf.Tensor, mask: tf.Tensor) -> States:
        """Adds states to a summary; see `Pooling.add`."""
        real = tf.where(mask[:, :, tf.newaxis], states, states.dtype.min)
        return (tf.maximum(summary[0], tf.reduce_max(real, axis=1)),)

    def single(self, states: tf.Tensor, mask: tf.Tensor) -> States:
        """Returns the summary of every state; see `Pooling.single`."""
        return (tf.where(mask[:, :, tf.newaxis], states, states.dtype.min),)

    def merge(self, summary: States, later: States, *, any_later: tf.Tensor) -> States:
        """Merges two summaries; see `Pooling.merge`."""
        return (tf.maximum(summary[0], later[0]),)

    def finish(self, summary: States) -> tf.Tensor:
        """Returns the pooled vector; see `Pooling.finish`."""
        (largest,) = summary
        return tf.where(largest > largest.dtype.min, largest, 0)
