"""The head that takes a mean with learned weights."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import tensorflow as tf

from textrnn.layers.cells import States
from textrnn.layers.pooling.base import Pooling

__all__ = ["AttentionPooling", "AttentionSummary"]


class AttentionSummary(NamedTuple):
    """The summary of the states that `AttentionPooling` has read.

    With l_t = u_t . q (Milakov & Gimelshein 2018, "Online normalizer calculation for softmax").
    """

    largest: tf.Tensor
    """m, the largest l_t, `[B, 1]`."""

    total: tf.Tensor
    """sum_t exp(l_t - m), `[B, 1]`."""

    weighted: tf.Tensor
    """sum_t exp(l_t - m) h_t, `[B, H]`."""


@keras.saving.register_keras_serializable(package="textrnn")
class AttentionPooling(Pooling):
    """A mean with learned weights: `c = sum_t alpha_t h_t`.

        u_t     = tanh(h_t K + b)
        alpha_t = exp(u_t . q) / sum_s exp(u_s . q)

    From Yang et al. 2016, "Hierarchical Attention Networks for Document Classification".
    Weights: `kernel` K `[H, A]`, `bias` b `[A]`, `query` q `[A]`.

    >>> pooled, alpha = AttentionPooling(return_weights=True)(tf.zeros([2, 7, 3]))
    >>> pooled.shape, alpha.shape
    (TensorShape([2, 3]), TensorShape([2, 7]))

    Args:
        units: A, the size of u; None: the size of the states.
        return_weights: Whether to return the tuple of the pooled vector and alpha `[B, T]`. Alpha
            sums to 1, or to 0 for a text without a step.
    """

    def __init__(
        self, units: int | None = None, *, return_weights: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.return_weights = return_weights

    def build(self, states_shape: tuple[int | None, ...]) -> None:
        """Makes the weights for states `[B, T, H]`."""
        size = states_shape[-1]
        units = self.units or size
        self.kernel = self.add_weight(shape=(size, units), name="kernel")
        self.bias = self.add_weight(shape=(units,), initializer="zeros", name="bias")
        self.query = self.add_weight(shape=(units,), initializer="random_normal", name="query")

    def logits_of(self, states: tf.Tensor) -> tf.Tensor:
        """Computes `u_t . q`, `[B, T]`, for states `[B, T, H]`."""
        u = tf.tanh(tf.tensordot(states, self.kernel, axes=1) + self.bias)  # [B, T, A]
        return tf.tensordot(u, self.query, axes=1)

    def weights_of(self, states: tf.Tensor, mask: tf.Tensor | None = None) -> tf.Tensor:
        """Computes alpha `[B, T]` for states `[B, T, H]`."""
        logits = self.logits_of(states)
        if mask is None:
            return tf.nn.softmax(logits)
        alpha = tf.nn.softmax(tf.where(mask, logits, logits.dtype.min))
        return tf.where(mask, alpha, 0)

    def call(self, states: tf.Tensor, mask: tf.Tensor | None = None) -> Any:
        """Pools states `[B, T, H]` to `[B, H]`; with `return_weights` returns `[B, T]` too."""
        alpha = self.weights_of(states, mask)
        if mask is not None:
            states = tf.where(mask[:, :, tf.newaxis], states, 0)
        pooled = tf.linalg.matvec(states, alpha, transpose_a=True)  # [B, H]
        return (pooled, alpha) if self.return_weights else pooled

    def start(self, batch_size: Any, units: int) -> States:
        """Returns a summary of no state; see `Pooling.start`."""
        dtype = tf.as_dtype(self.compute_dtype)
        return AttentionSummary(
            tf.fill([batch_size, 1], tf.constant(dtype.min / 2, dtype)),
            tf.zeros([batch_size, 1], dtype),
            tf.zeros([batch_size, units], dtype),
        )

    def add(self, summary: States, states: tf.Tensor, mask: tf.Tensor) -> States:
        """Adds states to a summary; see `Pooling.add`."""
        largest, total, weighted = summary
        # Half of the smallest number, because the difference of two such numbers is finite.
        logits = tf.where(mask, self.logits_of(states), states.dtype.min / 2)  # [B, T]
        new = tf.maximum(largest, tf.reduce_max(logits, axis=1, keepdims=True))
        shares = tf.where(mask, tf.exp(logits - new), 0)
        states = tf.where(mask[:, :, tf.newaxis], states, 0)
        scale = tf.exp(largest - new)
        return AttentionSummary(
            new,
            scale * total + tf.reduce_sum(shares, axis=1, keepdims=True),
            scale * weighted + tf.linalg.matvec(states, shares, transpose_a=True),
        )

    def single(self, states: tf.Tensor, mask: tf.Tensor) -> States:
        """Returns the summary of every state; see `Pooling.single`."""
        real = mask[:, :, tf.newaxis]
        logits = tf.where(real, self.logits_of(states)[:, :, tf.newaxis], states.dtype.min / 2)
        total, weighted = tf.cast(real, states.dtype), tf.where(real, states, 0)
        return AttentionSummary(logits, total, weighted)

    def merge(self, summary: States, later: States, *, any_later: tf.Tensor) -> States:
        """Merges two summaries; see `Pooling.merge`."""
        before, after = AttentionSummary(*summary), AttentionSummary(*later)
        largest = tf.maximum(before.largest, after.largest)
        scale_before = tf.exp(before.largest - largest)
        scale_after = tf.exp(after.largest - largest)
        return AttentionSummary(
            largest,
            scale_before * before.total + scale_after * after.total,
            scale_before * before.weighted + scale_after * after.weighted,
        )

    def finish(self, summary: States) -> tf.Tensor:
        """Returns the pooled vector; see `Pooling.finish`."""
        _, total, weighted = summary
        return tf.math.divide_no_nan(weighted, total)

    def get_config(self) -> dict[str, Any]:
        """Returns the settings with which `from_config` makes the layer again."""
        return {
            **super().get_config(),
            "units": self.units,
            "return_weights": self.return_weights,
        }
