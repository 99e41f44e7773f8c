"""The head that takes the last state."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from textrnn.layers.cells import States
from textrnn.layers.pooling.base import Pooling

__all__ = ["LastState"]


@keras.saving.register_keras_serializable(package="textrnn")
class LastState(Pooling):
    """The state after the last step: `c = h_T`; for the backward half, `h_1`.

    >>> LastState()(tf.constant([[[1.0], [5.0], [3.0]]]), mask=tf.constant([[True, True, False]]))
    <tf.Tensor: shape=(1, 1), dtype=float32, numpy=array([[5.]], dtype=float32)>

    Args:
        bidirectional: Whether the second half of the units reads backwards, so that its last
            state stands at the first step.
    """

    def __init__(self, *, bidirectional: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.bidirectional = bidirectional

    def call(self, states: tf.Tensor, mask: tf.Tensor | None = None) -> tf.Tensor:
        """Pools states `[B, T, H]` with a mask `[B, T]` to `[B, H]`."""
        if mask is None:
            first, last = states[:, 0], states[:, -1]
        else:
            steps = tf.range(tf.shape(states)[1])[tf.newaxis]  # [1, T]
            last_step = tf.reduce_max(tf.where(mask, steps, 0), axis=1)
            last = tf.gather(states, last_step, batch_dims=1)  # [B, H]
            first = last
            if self.bidirectional:
                first_step = tf.argmax(tf.cast(mask, tf.int32), axis=1, output_type=tf.int32)
                first = tf.gather(states, first_step, batch_dims=1)
        if self.bidirectional:
            half = states.shape[-1] // 2
            last = tf.concat([last[:, :half], first[:, half:]], axis=-1)
        if mask is None:
            return last
        return tf.where(tf.reduce_any(mask, axis=1, keepdims=True), last, 0)

    def start(self, batch_size: Any, units: int) -> States:
        """Returns a summary: the state h, which is zero before the first step."""
        return (tf.zeros([batch_size, units], self.compute_dtype),)

    def add(self, summary: States, states: tf.Tensor, mask: tf.Tensor) -> States:
        """Adds states that were read forwards; see `Pooling.add`."""
        last = self.call(states, mask=mask)
        return (tf.where(tf.reduce_any(mask, axis=1, keepdims=True), last, summary[0]),)

    def single(self, states: tf.Tensor, mask: tf.Tensor) -> States:
        """Returns the summary of every state; see `Pooling.single`."""
        return (states,)

    def merge(self, summary: States, later: States, *, any_later: tf.Tensor) -> States:
        """Merges two summaries; see `Pooling.merge`."""
        return (tf.where(any_later, later[0], summary[0]),)

    def finish(self, summary: States) -> tf.Tensor:
        """Returns the pooled vector; see `Pooling.finish`."""
        return summary[0]

    def get_config(self) -> dict[str, Any]:
        """Returns the settings with which `from_config` makes the layer again."""
        return {**super().get_config(), "bidirectional": self.bidirectional}
