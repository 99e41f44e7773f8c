"""The base class of the heads."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import keras
import tensorflow as tf

from textrnn.layers.cells import States

__all__ = ["Pooling"]


class Pooling(keras.layers.Layer):
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
