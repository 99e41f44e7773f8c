"""The heads: how the states `[B, T, H]` of a text become one vector `[B, H]`.

Each looks only at steps where the mask is True. A text without any gives zeros.

Each has an online form too, for a text that comes in pieces: `start`, then `add` for every piece,
and `finish` at any time, which gives what `call` gives for all pieces at once.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import keras
import tensorflow as tf

from textrnn.layers.cells import States

__all__ = ["POOLINGS", "AttentionPooling", "LastState", "MaxPooling", "MeanPooling"]


SUM_STEPS = 256
"""States that are summed up one after the other."""


class _Pooling(keras.layers.Layer):
    """A layer that takes states `[B, T, H]` and a mask `[B, T]` and gives `[B, H]`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def compute_mask(self, _: Any, previous: Any = None) -> None:
        """None: there is no time axis left to mask."""
        return None

    @abstractmethod
    def start(self, batch_size: Any, units: int) -> States:
        """The summary `[B, ...]` of texts of which nothing was read, for states of `units`."""

    @abstractmethod
    def add(self, summary: States, states: tf.Tensor, mask: tf.Tensor) -> States:
        """The summary after more states.

        Args:
            summary: That of all states before.
            states: `[B, T, H]`, the next states.
            mask: `[B, T]` of bool, True where there is input.
        """

    @abstractmethod
    def merge(self, summary: States, later: States, *, any_later: tf.Tensor) -> States:
        """The summary of all states, of those before some point and those after it.

        Args:
            summary: Of the states before.
            later: Of the states after, begun with `start`.
            any_later: `[B, 1]` of bool, whether there are any after it.
        """

    @abstractmethod
    def finish(self, summary: States) -> tf.Tensor:
        """The pooled vector `[B, H]` of all states so far."""

    @abstractmethod
    def each(self, states: tf.Tensor, mask: tf.Tensor) -> States:
        """The summary `[B, T, ...]` of each state alone; of one that the mask hides, of none."""

    def prefixes(
        self, summary: States, states: tf.Tensor, mask: tf.Tensor, *, steps: int
    ) -> tf.Tensor:
        """The pooled vector `[B, T, H]` of all states up to each one.

        The summaries are merged in about log2(T) rounds, each over twice as many states (Hillis &
        Steele 1986, "Data Parallel Algorithms").

        Args:
            summary: That of all states before.
            states: `[B, T, H]`.
            mask: `[B, T]`.
            steps: T at the most.
        """
        own, flags = self.each(states, mask), mask[:, :, tf.newaxis]
        none = self.each(tf.zeros_like(states), tf.zeros_like(mask))
        shift = 1
        while shift < steps:
            earlier = tuple(
                tf.concat([empty[:, :shift], array[:, :-shift]], axis=1)
                for empty, array in zip(none, own, strict=True)
            )
            own = self.merge(earlier, own, any_later=flags)
            flags |= tf.concat([tf.zeros_like(flags[:, :shift]), flags[:, :-shift]], axis=1)
            shift *= 2
        before = tuple(array[:, tf.newaxis] for array in summary)
        return self.finish(self.merge(before, own, any_later=flags))


@keras.saving.register_keras_serializable(package="textrnn")
class LastState(_Pooling):
    """The state after the last step: `c = h_T`; for the backward half, `h_1`.

    Args:
        bidirectional: Whether the second half of the units reads backwards, so that its last
            state stands at the first step.
    """

    def __init__(self, *, bidirectional: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.bidirectional = bidirectional

    def call(self, states: tf.Tensor, mask: tf.Tensor | None = None) -> tf.Tensor:
        """`[B, T, H]` and `[B, T]` to `[B, H]`."""
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
        """See `_Pooling.start`: h, zero before the first step."""
        return (tf.zeros([batch_size, units], self.compute_dtype),)

    def add(self, summary: States, states: tf.Tensor, mask: tf.Tensor) -> States:
        """See `_Pooling.add`; of a model that reads forwards only."""
        last = self.call(states, mask=mask)
        return (tf.where(tf.reduce_any(mask, axis=1, keepdims=True), last, summary[0]),)

    def each(self, states: tf.Tensor, mask: tf.Tensor) -> States:
        """See `_Pooling.each`."""
        return (states,)

    def merge(self, summary: States, later: States, *, any_later: tf.Tensor) -> States:
        """See `_Pooling.merge`."""
        return (tf.where(any_later, later[0], summary[0]),)

    def finish(self, summary: States) -> tf.Tensor:
        """See `_Pooling.finish`."""
        return summary[0]

    def get_config(self) -> dict[str, Any]:
        """Everything that `from_config` needs to make the layer again."""
        return {**super().get_config(), "bidirectional": self.bidirectional}


@keras.saving.register_keras_serializable(package="textrnn")
class MeanPooling(_Pooling):
    """The mean of all states: `c = sum_t h_t / T`."""

    def call(self, states: tf.Tensor, mask: tf.Tensor | None = None) -> tf.Tensor:
        """`[B, T, H]` and `[B, T]` to `[B, H]`."""
        if mask is None:
            return tf.reduce_mean(states, axis=1)
        total = _sum_over_time(tf.where(mask[:, :, tf.newaxis], states, 0))
        count = tf.reduce_sum(tf.cast(mask, states.dtype), axis=1, keepdims=True)
        return total / tf.maximum(count, 1)

    def start(self, batch_size: Any, units: int) -> States:
        """See `_Pooling.start`.

        The sum of the states, what it has lost to rounding so far (Kahan 1965, "Further remarks
        on reducing truncation errors"), without which the mean of a long text drifts, and the
        states' number, `[B, 1]` of int32.
        """
        zeros = tf.zeros([batch_size, units], self.compute_dtype)
        return zeros, zeros, tf.zeros([batch_size, 1], tf.int32)

    def add(self, summary: States, states: tf.Tensor, mask: tf.Tensor) -> States:
        """See `_Pooling.add`."""
        total, lost, count = summary
        more = tf.reduce_sum(tf.where(mask[:, :, tf.newaxis], states, 0), axis=1) - lost
        new = total + more
        count += tf.reduce_sum(tf.cast(mask, tf.int32), axis=1, keepdims=True)
        return new, (new - total) - more, count

    def each(self, states: tf.Tensor, mask: tf.Tensor) -> States:
        """See `_Pooling.each`."""
        real = mask[:, :, tf.newaxis]
        return tf.where(real, states, 0), tf.zeros_like(states), tf.cast(real, tf.int32)

    def merge(self, summary: States, later: States, *, any_later: tf.Tensor) -> States:
        """See `_Pooling.merge`."""
        total, lost, count = (one + other for one, other in zip(summary, later, strict=True))
        return total, lost, count

    def finish(self, summary: States) -> tf.Tensor:
        """See `_Pooling.finish`."""
        total, _, count = summary
        return total / tf.cast(tf.maximum(count, 1), total.dtype)


@keras.saving.register_keras_serializable(package="textrnn")
class MaxPooling(_Pooling):
    """The largest value of each unit: `c = max_t h_t`."""

    def call(self, states: tf.Tensor, mask: tf.Tensor | None = None) -> tf.Tensor:
        """`[B, T, H]` and `[B, T]` to `[B, H]`."""
        if mask is None:
            return tf.reduce_max(states, axis=1)
        largest = tf.reduce_max(tf.where(mask[:, :, tf.newaxis], states, states.dtype.min), axis=1)
        return tf.where(tf.reduce_any(mask, axis=1, keepdims=True), largest, 0)

    def start(self, batch_size: Any, units: int) -> States:
        """See `_Pooling.start`: the largest values, the smallest number where there are none."""
        dtype = tf.as_dtype(self.compute_dtype)
        return (tf.fill([batch_size, units], tf.constant(dtype.min, dtype)),)

    def add(self, summary: States, states: tf.Tensor, mask: tf.Tensor) -> States:
        """See `_Pooling.add`."""
        real = tf.where(mask[:, :, tf.newaxis], states, states.dtype.min)
        return (tf.maximum(summary[0], tf.reduce_max(real, axis=1)),)

    def each(self, states: tf.Tensor, mask: tf.Tensor) -> States:
        """See `_Pooling.each`."""
        return (tf.where(mask[:, :, tf.newaxis], states, states.dtype.min),)

    def merge(self, summary: States, later: States, *, any_later: tf.Tensor) -> States:
        """See `_Pooling.merge`."""
        return (tf.maximum(summary[0], later[0]),)

    def finish(self, summary: States) -> tf.Tensor:
        """See `_Pooling.finish`."""
        (largest,) = summary
        return tf.where(largest > largest.dtype.min, largest, 0)


@keras.saving.register_keras_serializable(package="textrnn")
class AttentionPooling(_Pooling):
    """A mean whose weights are learned: `c = sum_t alpha_t h_t`.

        u_t     = tanh(h_t K + b)
        alpha_t = exp(u_t . q) / sum_s exp(u_s . q)

    From Yang et al. 2016, "Hierarchical Attention Networks for Document Classification".
    Weights: `kernel` K `[H, A]`, `bias` b `[A]`, `query` q `[A]`.

    Args:
        units: A, the size of u; None: as many as the states have.
        return_weights: Whether to return alpha `[B, T]` behind the pooled vector; it sums to 1,
            or to 0 for a text without a step.
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
        """`u_t . q`, `[B, T]`, of states `[B, T, H]`."""
        u = tf.tanh(tf.tensordot(states, self.kernel, axes=1) + self.bias)  # [B, T, A]
        return tf.tensordot(u, self.query, axes=1)

    def weights_of(self, states: tf.Tensor, mask: tf.Tensor | None = None) -> tf.Tensor:
        """alpha `[B, T]` of states `[B, T, H]`."""
        logits = self.logits_of(states)
        if mask is None:
            return tf.nn.softmax(logits)
        alpha = tf.nn.softmax(tf.where(mask, logits, logits.dtype.min))
        return tf.where(mask, alpha, 0)

    def call(self, states: tf.Tensor, mask: tf.Tensor | None = None) -> Any:
        """`[B, T, H]` and `[B, T]` to `[B, H]`, with `return_weights` also `[B, T]`."""
        alpha = self.weights_of(states, mask)
        if mask is not None:
            states = tf.where(mask[:, :, tf.newaxis], states, 0)
        pooled = tf.linalg.matvec(states, alpha, transpose_a=True)  # [B, H]
        return (pooled, alpha) if self.return_weights else pooled

    def start(self, batch_size: Any, units: int) -> States:
        """See `_Pooling.start`.

        With l_t = u_t . q and m the largest l_t so far: m, sum_t exp(l_t - m), and
        sum_t exp(l_t - m) h_t (Milakov & Gimelshein 2018, "Online normalizer calculation for
        softmax").
        """
        dtype = tf.as_dtype(self.compute_dtype)
        return (
            tf.fill([batch_size, 1], tf.constant(dtype.min / 2, dtype)),
            tf.zeros([batch_size, 1], dtype),
            tf.zeros([batch_size, units], dtype),
        )

    def add(self, summary: States, states: tf.Tensor, mask: tf.Tensor) -> States:
        """See `_Pooling.add`."""
        largest, total, weighted = summary
        # Half of the smallest number: differences of two such stay finite.
        logits = tf.where(mask, self.logits_of(states), states.dtype.min / 2)  # [B, T]
        new = tf.maximum(largest, tf.reduce_max(logits, axis=1, keepdims=True))
        shares = tf.where(mask, tf.exp(logits - new), 0)
        states = tf.where(mask[:, :, tf.newaxis], states, 0)
        kept = tf.exp(largest - new)
        return (
            new,
            kept * total + tf.reduce_sum(shares, axis=1, keepdims=True),
            kept * weighted + tf.linalg.matvec(states, shares, transpose_a=True),
        )

    def each(self, states: tf.Tensor, mask: tf.Tensor) -> States:
        """See `_Pooling.each`."""
        real = mask[:, :, tf.newaxis]
        logits = tf.where(real, self.logits_of(states)[:, :, tf.newaxis], states.dtype.min / 2)
        return logits, tf.cast(real, states.dtype), tf.where(real, states, 0)

    def merge(self, summary: States, later: States, *, any_later: tf.Tensor) -> States:
        """See `_Pooling.merge`."""
        largest = tf.maximum(summary[0], later[0])
        one, other = tf.exp(summary[0] - largest), tf.exp(later[0] - largest)
        return (
            largest,
            one * summary[1] + other * later[1],
            one * summary[2] + other * later[2],
        )

    def finish(self, summary: States) -> tf.Tensor:
        """See `_Pooling.finish`."""
        _, total, weighted = summary
        return tf.math.divide_no_nan(weighted, total)

    def get_config(self) -> dict[str, Any]:
        """Everything that `from_config` needs to make the layer again."""
        return {
            **super().get_config(),
            "units": self.units,
            "return_weights": self.return_weights,
        }


def _sum_over_time(states: tf.Tensor) -> tf.Tensor:
    """The sum `[B, H]` of states `[B, T, H]`, of many in two stages: a sum of sums rounds less."""
    _, steps, size = states.shape
    if steps is not None and steps <= SUM_STEPS:
        return tf.reduce_sum(states, axis=1)
    batch, steps = tf.shape(states)[0], tf.shape(states)[1]
    parts = (steps + SUM_STEPS - 1) // SUM_STEPS
    states = tf.pad(states, [[0, 0], [0, parts * SUM_STEPS - steps], [0, 0]])
    states = tf.reshape(states, [batch, parts, SUM_STEPS, size])
    return tf.reduce_sum(tf.reduce_sum(states, axis=2), axis=1)


POOLINGS: dict[str, type[_Pooling]] = {
    "last": LastState,
    "mean": MeanPooling,
    "max": MaxPooling,
    "attention": AttentionPooling,
}
