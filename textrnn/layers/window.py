"""The window of a recurrent layer: each step sees its own input and some inputs before it."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

__all__ = ["Window"]


@dataclass(frozen=True)
class Window:
    """Joins each step's input with those before it, in the direction of reading.

    Attributes:
        size: w, the number of inputs that a step sees, its own included.
        reverse: Whether the sequence is read from its last step to its first.
    """

    size: int
    reverse: bool = False

    def join(
        self,
        sequence: tf.Tensor,
        *,
        mask: tf.Tensor | None = None,
        before: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Joins the inputs, and brings time to the front.

        Args:
            sequence: `[B, T, E]`.
            mask: `[B, T]` of bool, or None. Inputs where it is False count as zeros.
            before: `[B, w-1, E]`, the inputs before the first step; zeros if None.

        Returns:
            `[T, B, w*E]`, each step's own input first.
        """
        if mask is not None and self.size > 1:
            sequence = tf.where(mask[:, :, tf.newaxis], sequence, 0)
        sequence = tf.transpose(sequence, [1, 0, 2])
        if self.size == 1:
            return sequence
        shape = tf.shape(sequence)
        earlier = self.size - 1
        if before is None:
            padding = [0, earlier] if self.reverse else [earlier, 0]
            padded = tf.pad(sequence, [padding, [0, 0], [0, 0]])
        else:
            padded = tf.concat([tf.transpose(before, [1, 0, 2]), sequence], axis=0)
        starts = range(self.size) if self.reverse else range(earlier, -1, -1)
        # On a CPU the gradient of [start:stop] takes ten times as long as the one of tf.slice.
        shifted = [tf.slice(padded, [start, 0, 0], shape) for start in starts]
        return tf.ensure_shape(
            tf.concat(shifted, axis=-1), [*sequence.shape[:2], self.size * sequence.shape[-1]]
        )

    def advance(self, before: tf.Tensor, sequence: tf.Tensor, mask: tf.Tensor | None) -> tf.Tensor:
        """Finds the inputs `[B, w-1, E]` that come before the next piece of a sequence.

        Args:
            before: `[B, w-1, E]`, the inputs before this piece.
            sequence: `[B, T, E]`, the piece.
            mask: `[B, T]` of bool, in each row True up to its last input; None: everywhere.
        """
        inputs = tf.concat([before, tf.cast(sequence, before.dtype)], axis=1)
        if mask is None:
            return inputs[:, -(self.size - 1) :]
        lengths = tf.reduce_sum(tf.cast(mask, tf.int32), axis=1, keepdims=True)  # [B, 1]
        places = lengths + tf.range(self.size - 1)  # [B, w-1]
        return tf.gather(inputs, places, batch_dims=1)
