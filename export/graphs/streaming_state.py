"""The memory of a text that is read in pieces, as named tensors of a signature."""

from __future__ import annotations

import tensorflow as tf

from textrnn.errors import ConfigError
from textrnn.layers.stack import StreamState
from textrnn.models.classifier import TextClassifier

__all__ = ["named", "nested", "streaming_obstacle"]


def named(memory: StreamState) -> dict[str, tf.Tensor]:
    """The tensors of a memory, `state_0` first; see `TextClassifier.start`."""
    return {f"state_{i}": state for i, state in enumerate(tf.nest.flatten(memory))}


def nested(states: dict[str, tf.Tensor], like: StreamState) -> StreamState:
    """The memory of such tensors.

    Args:
        states: What `named` gives.
        like: A memory of the same model.
    """
    ordered = [states[f"state_{i}"] for i in range(len(states))]
    memory: StreamState = tf.nest.pack_sequence_as(like, ordered)
    return memory


def streaming_obstacle(model: TextClassifier) -> str | None:
    """Why a classifier cannot read a text piece by piece; None if it can."""
    try:
        with tf.Graph().as_default():
            model.start(1)
    except ConfigError as error:
        return str(error)
    return None
