"""A vector for each token."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

__all__ = ["TokenEmbedding"]


@keras.saving.register_keras_serializable(package="textrnn")
class TokenEmbedding(keras.layers.Layer):
    """Looks up a row of a table for each token: ids `[B, T]` to vectors `[B, T, E]`.

    `keras.layers.Embedding` reads the whole table for each batch, and casts it in mixed precision.
    This layer touches only the rows that a batch uses, so that a step's cost does not grow with the
    vocabulary. The weight is `embeddings` `[V, E]`, as in Keras. An id outside of 0 .. V-1 is an
    error on a CPU, and has a vector of zeros on a GPU.

    >>> TokenEmbedding(10, 3)(tf.constant([[5, 2, 7]])).shape
    TensorShape([1, 3, 3])

    Args:
        vocab_size: V.
        units: E.
    """

    def __init__(self, vocab_size: int, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.vocab_size = vocab_size
        self.units = units

    def build(self, _: Any) -> None:
        """Makes the table."""
        self.embeddings = self.add_weight(
            shape=(self.vocab_size, self.units),
            initializer=keras.initializers.RandomNormal(stddev=0.1),
            name="embeddings",
            autocast=False,
        )

    def call(self, ids: tf.Tensor) -> tf.Tensor:
        """Looks up ids `[B, T]`; returns vectors `[B, T, E]`."""
        rows = tf.gather(self.embeddings.value, tf.cast(ids, tf.int32))
        return tf.cast(rows, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """Returns the settings with which `from_config` makes the layer again, without weights."""
        return {**super().get_config(), "vocab_size": self.vocab_size, "units": self.units}
