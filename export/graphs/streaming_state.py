"""The state of a text that is read piece by piece, as named tensors of a signature."""

from __future__ import annotations

import tensorflow as tf

from textrnn.errors import ConfigError
from textrnn.layers.stack import StreamState
from textrnn.models.classifier import TextClassifier

__all__ = ["STREAM_TOKENS", "named", "nested", "streaming_obstacle"]

STREAM_TOKENS = 8
"""K, the tokens that the `step` of a TFLite file reads at a time."""


def named(state: StreamState) -> dict[str, tf.Tensor]:
    """Returns the tensors of a state by the names `state_0` ..; see `TextClassifier.start`."""
    return {f"state_{i}": tensor for i, tensor in enumerate(tf.nest.flatten(state))}


def nested(states: dict[str, tf.Tensor], like: StreamState) -> StreamState:
    """Returns the state of named tensors, the inverse of `named`.

    Args:
        states: The tensors by their names.
        like: A state of the same model.
    """
    ordered = [states[f"state_{i}"] for i in range(len(states))]
    state: StreamState = tf.nest.pack_sequence_as(like, ordered)
    return state


def streaming_obstacle(model: TextClassifier) -> str | None:
    """Returns why a classifier cannot read a text piece by piece, None if it can."""
    try:
        with tf.Graph().as_default():
            model.start(1)
    except ConfigError as error:
        return str(error)
    return None
