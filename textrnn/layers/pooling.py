"""The heads: how the states `[B, T, H]` of a text become one vector `[B, H]`.

A head reads only the steps where the mask is True. For a text without such a step it returns zeros.

Each head also has an online form, for a text that comes in pieces: `start`, then `add` for every
piece, and `finish` at any time. The result is that of `call` for all pieces at once.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from textrnn.layers.cells import States

__all__ = ["POOLINGS", "AttentionPooling", "LastState", "MaxPooling", "MeanPooling"]


SUM_STEPS = 256
"""The number of states that are summed in one stage."""


class _Pooling(keras.layers.Layer):
    """A layer that takes states `[B, T, H]` and a mask `[B, T]`, and returns `[B, H]`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def compute_mask(self, _: Any, previous: Any = None) -> None:
        """Returns None: there is no time axis left to mask."""
        return None

    @abstractmethod
    def start(self, batch_size: Any, units: int) -> States:
        """Returns the summary `[B, ...]` of texts without a state, for states of `units`."""

    @abstractmethod
    def add(self, summary: States, states: tf.Tensor, mask: tf.Tensor) -> States:
        """Returns the summary after more states.

        Args:
            summary: The summary of all states before.
            states: `[B, T, H]`, the next states.
            mask: `[B, T]` of bool, True where there is input.
        """

    @abstractmethod
    def merge(self, summary: States, later: States, *, any_later: tf.Tensor) -> States:
        """Merges the summaries of the states before some point and of those after it.

        Args:
            summary: The summary of the states before.
            later: The summary of the states after, beginning with `start`.
            any_later: `[B, 1]` of bool, whether there are states after the point.
        """

    @abstractmethod
    def finish(self, summary: States) -> tf.Tensor:
        """Returns the pooled vector `[B, H]` of a summary."""

    @abstractmethod
    def single(self, states: tf.Tensor, mask: tf.Tensor) -> States:
        """Returns the summary `[B, T, ...]` of every state by itself.

        Where the mask is False, it is the summary of no state.
        """

    def prefixes(
        self, summary: States, states: tf.Tensor, mask: tf.Tensor, *, steps: int
    ) -> tf.Tensor:
        """Returns the pooled vector `[B, T, H]` of all states up to each one.

        The summaries are merged in about log2(T) rounds, each over twice as many states (Hillis &
        Steele 1986, "Data Parallel Algorithms").

        Args:
            summary: The summary of all states before.
            states: `[B, T, H]`.
            mask: `[B, T]`.
            steps: An upper bound of T.
        """
        prefix, any_in_prefix = self.single(states, mask), mask[:, :, tf.newaxis]
        nothing = self.single(tf.zeros_like(states), tf.zeros_like(mask))
        shift = 1
        while shift < steps:
            earlier = tuple(
                tf.concat([empty[:, :shift], array[:, :-shift]], axis=1)
                for empty, array in zip(nothing, prefix, strict=True)
            )
            prefix = self.merge(earlier, prefix, any_later=any_in_prefix)
            any_in_prefix |= tf.concat(
                [tf.zeros_like(any_in_prefix[:, :shift]), any_in_prefix[:, :-shift]], axis=1
            )
            shift *= 2
        before = tuple(array[:, tf.newaxis] for array in summary)
        return self.finish(self.merge(before, prefix, any_later=any_in_prefix))


@keras.saving.register_keras_serializable(package="textrnn")
class LastState(_Pooling):
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
        """Adds states that were read forwards; see `_Pooling.add`."""
        last = self.call(states, mask=mask)
        return (tf.where(tf.reduce_any(mask, axis=1, keepdims=True), last, summary[0]),)

    def single(self, states: tf.Tensor, mask: tf.Tensor) -> States:
        """Returns the summary of every state; see `_Pooling.single`."""
        return (states,)

    def merge(self, summary: States, later: States, *, any_later: tf.Tensor) -> States:
        """Merges two summaries; see `_Pooling.merge`."""
        return (tf.where(any_later, later[0], summary[0]),)

    def finish(self, summary: States) -> tf.Tensor:
        """Returns the pooled vector; see `_Pooling.finish`."""
        return summary[0]

    def get_config(self) -> dict[str, Any]:
        """Returns the settings with which `from_config` makes the layer again."""
        return {**super().get_config(), "bidirectional": self.bidirectional}


class MeanSummary(NamedTuple):
    """What `MeanPooling` keeps of the states that it has read."""

    total: tf.Tensor
    """The sum of the states, `[B, H]`."""

    lost: tf.Tensor
    """What the sum lost to rounding, `[B, H]` (Kahan 1965, "Further remarks on reducing truncation
    errors"). Without it the mean of a long text drifts."""

    count: tf.Tensor
    """The number of states, `[B, 1]` of int32."""


@keras.saving.register_keras_serializable(package="textrnn")
class MeanPooling(_Pooling):
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
        """Returns a summary of no state; see `_Pooling.start`."""
        zeros = tf.zeros([batch_size, units], self.compute_dtype)
        return MeanSummary(zeros, zeros, tf.zeros([batch_size, 1], tf.int32))

    def add(self, summary: States, states: tf.Tensor, mask: tf.Tensor) -> States:
        """Adds states to a summary; see `_Pooling.add`."""
        total, lost, count = summary
        more = tf.reduce_sum(tf.where(mask[:, :, tf.newaxis], states, 0), axis=1) - lost
        new = total + more
        count += tf.reduce_sum(tf.cast(mask, tf.int32), axis=1, keepdims=True)
        return MeanSummary(new, (new - total) - more, count)

    def single(self, states: tf.Tensor, mask: tf.Tensor) -> States:
        """Returns the summary of every state; see `_Pooling.single`."""
        real = mask[:, :, tf.newaxis]
        total = tf.where(real, states, 0)
        return MeanSummary(total, tf.zeros_like(states), tf.cast(real, tf.int32))

    def merge(self, summary: States, later: States, *, any_later: tf.Tensor) -> States:
        """Merges two summaries; see `_Pooling.merge`."""
        pairs = zip(summary, later, strict=True)
        return MeanSummary(*(before + after for before, after in pairs))

    def finish(self, summary: States) -> tf.Tensor:
        """Returns the pooled vector; see `_Pooling.finish`."""
        total, _, count = summary
        return total / tf.cast(tf.maximum(count, 1), total.dtype)


@keras.saving.register_keras_serializable(package="textrnn")
class MaxPooling(_Pooling):
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
        """Adds states to a summary; see `_Pooling.add`."""
        real = tf.where(mask[:, :, tf.newaxis], states, states.dtype.min)
        return (tf.maximum(summary[0], tf.reduce_max(real, axis=1)),)

    def single(self, states: tf.Tensor, mask: tf.Tensor) -> States:
        """Returns the summary of every state; see `_Pooling.single`."""
        return (tf.where(mask[:, :, tf.newaxis], states, states.dtype.min),)

    def merge(self, summary: States, later: States, *, any_later: tf.Tensor) -> States:
        """Merges two summaries; see `_Pooling.merge`."""
        return (tf.maximum(summary[0], later[0]),)

    def finish(self, summary: States) -> tf.Tensor:
        """Returns the pooled vector; see `_Pooling.finish`."""
        (largest,) = summary
        return tf.where(largest > largest.dtype.min, largest, 0)


class AttentionSummary(NamedTuple):
    """What `AttentionPooling` keeps of the states that it has read.

    With l_t = u_t . q (Milakov & Gimelshein 2018, "Online normalizer calculation for softmax").
    """

    largest: tf.Tensor
    """m, the largest l_t, `[B, 1]`."""

    total: tf.Tensor
    """sum_t exp(l_t - m), `[B, 1]`."""

    weighted: tf.Tensor
    """sum_t exp(l_t - m) h_t, `[B, H]`."""


@keras.saving.register_keras_serializable(package="textrnn")
class AttentionPooling(_Pooling):
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
        """Returns a summary of no state; see `_Pooling.start`."""
        dtype = tf.as_dtype(self.compute_dtype)
        return AttentionSummary(
            tf.fill([batch_size, 1], tf.constant(dtype.min / 2, dtype)),
            tf.zeros([batch_size, 1], dtype),
            tf.zeros([batch_size, units], dtype),
        )

    def add(self, summary: States, states: tf.Tensor, mask: tf.Tensor) -> States:
        """Adds states to a summary; see `_Pooling.add`."""
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
        """Returns the summary of every state; see `_Pooling.single`."""
        real = mask[:, :, tf.newaxis]
        logits = tf.where(real, self.logits_of(states)[:, :, tf.newaxis], states.dtype.min / 2)
        total, weighted = tf.cast(real, states.dtype), tf.where(real, states, 0)
        return AttentionSummary(logits, total, weighted)

    def merge(self, summary: States, later: States, *, any_later: tf.Tensor) -> States:
        """Merges two summaries; see `_Pooling.merge`."""
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
        """Returns the pooled vector; see `_Pooling.finish`."""
        _, total, weighted = summary
        return tf.math.divide_no_nan(weighted, total)

    def get_config(self) -> dict[str, Any]:
        """Returns the settings with which `from_config` makes the layer again."""
        return {
            **super().get_config(),
            "units": self.units,
            "return_weights": self.return_weights,
        }


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


POOLINGS: dict[str, type[_Pooling]] = {
    "last": LastState,
    "mean": MeanPooling,
    "max": MaxPooling,
    "attention": AttentionPooling,
}
