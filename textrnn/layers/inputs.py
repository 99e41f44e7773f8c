"""The inputs of a recurrent layer."""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

from textrnn.layers.cells import States
from textrnn.layers.recurrence import cut_batch

__all__ = ["RNNInputs"]


class RNNInputs(NamedTuple):
    """A batch of sequences, and what goes with each row of it.

    Attributes:
        sequence: `[B, T, E]`.
        mask: `[B, T]` of bool, True where there is input; None: everywhere.
        states: The states before the first step, each `[B, H]`; None: zeros.
        before: `[B, w-1, E]`, the inputs before the first one, for a window of w; None: zeros.
        dropout_mask: `[B, H]`, the recurrent dropout; None: the layer draws one in training.
    """

    sequence: tf.Tensor
    mask: tf.Tensor | None = None
    states: States | None = None
    before: tf.Tensor | None = None
    dropout_mask: tf.Tensor | None = None

    @classmethod
    def from_call(
        cls, sequence: tf.Tensor, mask: tf.Tensor | None, initial_state: Any
    ) -> RNNInputs:
        """Makes the inputs from the arguments of a layer's call.

        Args:
            sequence: `[B, T, E]`.
            mask: `[B, T]` of bool, or None.
            initial_state: A tensor, or any nest of tensors, or None.
        """
        states = None if initial_state is None else tuple(tf.nest.flatten(initial_state))
        return cls(sequence, mask, states)

    def cut(self, parts: int) -> list[RNNInputs]:
        """Cuts the batch into parts; see `cut_batch`. The states must be given."""
        states = self.states or ()
        batch = [self.sequence, self.mask, self.before, self.dropout_mask, *states]
        return [
            RNNInputs(sequence, mask, tuple(rows), before, dropout_mask)
            for sequence, mask, before, dropout_mask, *rows in cut_batch(batch, parts=parts)
        ]
