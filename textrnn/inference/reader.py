"""Reads token ids with a model, from one state to the next, in constant memory."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from textrnn.models.classifier import TextClassifier
from textrnn.models.label_space import LabelSpace
from textrnn.runtime.stream_snapshot import StateArrays

__all__ = ["PIECE_TOKENS", "Reader", "model_digest"]

PIECE_TOKENS = 256
"""The number of tokens read at once; longer pieces are read in parts, in constant memory."""


class Reader:
    """Reads ids with a model, from one state to the next; it has one graph for all lengths.

    Args:
        model: A model that reads forwards only; see `TextClassifier.start`.
        label_space: The labels.

    Raises:
        ConfigError: The model needs the whole text at once.
    """

    def __init__(self, model: TextClassifier, *, label_space: LabelSpace) -> None:
        start = model.start(1)
        specs = [tf.TensorSpec([None, *t.shape[1:]], t.dtype) for t in tf.nest.flatten(start)]
        self._start = [t.numpy() for t in tf.nest.flatten(start)]
        ids_spec = tf.TensorSpec([None, None], tf.int32)

        @tf.function(input_signature=[specs, ids_spec], autograph=False)
        def advance(flat: list[tf.Tensor], ids: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
            state = tf.nest.pack_sequence_as(start, flat)
            logits, state = model.advance_aligned(state, ids)
            return label_space.activation(tf.cast(logits, tf.float32)), tf.nest.flatten(state)

        @tf.function(input_signature=[specs, ids_spec], autograph=False)
        def advance_each(
            flat: list[tf.Tensor], ids: tf.Tensor
        ) -> tuple[tf.Tensor, list[tf.Tensor]]:
            state = tf.nest.pack_sequence_as(start, flat)
            logits, state = model.advance_each(state, ids)
            return label_space.activation(tf.cast(logits, tf.float32)), tf.nest.flatten(state)

        self._advance, self._advance_each = advance, advance_each

    def start(self, texts: int) -> StateArrays:
        """Returns the state of texts of which nothing was read.

        Args:
            texts: B, the number of texts.
        """
        return [np.repeat(array, texts, axis=0) for array in self._start]

    def read(self, state: StateArrays, ids: Sequence[Any]) -> tuple[np.ndarray, StateArrays]:
        """Reads the next ids of some texts.

        Args:
            state: The state of the B texts.
            ids: The next ids of each text, any number per text.

        Returns:
            The probabilities `[B, C]` after these ids, and the new state.
        """
        longest = max(1, *map(len, ids))
        for start in range(0, longest, PIECE_TOKENS):
            pieces = [row[start : start + PIECE_TOKENS] for row in ids]
            padded = np.zeros([len(ids), max(1, *map(len, pieces))], np.int32)
            for place, piece in enumerate(pieces):
                padded[place, : len(piece)] = piece
            scores, flat = self._advance([tf.constant(a) for a in state], tf.constant(padded))
            state = [tensor.numpy() for tensor in flat]
        return scores.numpy(), state

    def read_each(self, state: StateArrays, ids: Sequence[int]) -> tuple[np.ndarray, StateArrays]:
        """Reads the next ids of one text.

        Args:
            state: The state of the text.
            ids: The next T ids, at least one.

        Returns:
            The probabilities `[T, C]` after each id, and the new state.
        """
        scores = []
        for start in range(0, len(ids), PIECE_TOKENS):
            piece = ids[start : start + PIECE_TOKENS]
            row = tf.constant([piece], tf.int32)
            piece_scores, flat = self._advance_each([tf.constant(a) for a in state], row)
            scores.append(piece_scores.numpy()[0, : len(piece)])
            state = [tensor.numpy() for tensor in flat]
        return np.concatenate(scores), state


def model_digest(model: TextClassifier) -> str:
    """Returns the SHA-256 digest of the settings and all weights of a model."""
    digest = hashlib.sha256(json.dumps(model.config.to_dict(), sort_keys=True).encode())
    for weight in model.get_weights():
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()
