"""Reading a batch of long texts segment by segment, with one noise for every reading."""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

from textrnn.layers.stack import StreamState
from textrnn.models.classifier import TextClassifier
from textrnn.text.tokenizer import Tokenizer

__all__ = ["SegmentNoise", "SegmentReader", "SegmentStates"]

SEED_STEP = 1_000_003
"""The distance between the seeds of two segments."""


class SegmentNoise(NamedTuple):
    """The dropout of one batch, which is the same each time a segment is read.

    Attributes:
        seed: `[2]`.
        rates: One rate per place: the embeddings, then before each layer above the first.
        dropout_masks: The recurrent dropout of each layer.
    """

    seed: tf.Tensor
    rates: tuple[float, ...]
    dropout_masks: list[tf.Tensor | None]

    @classmethod
    def draw(cls, model: TextClassifier, batch_size: tf.Tensor) -> SegmentNoise:
        """Draws the noise of a batch."""
        config = model.config
        layers = [] if model.stack is None else model.stack.rnns
        return cls(
            seed=tf.convert_to_tensor(model.seed_generator.next()),
            rates=(config.embedding_rate, *(config.dropout for _ in layers[1:])),
            dropout_masks=[rnn.cell.dropout_mask(batch_size, training=True) for rnn in layers],
        )

    def drop(self, sequence: tf.Tensor, place: int, *, first: tf.Tensor, segment: Any) -> tf.Tensor:
        """Applies dropout to consecutive segments.

        Args:
            sequence: `[B, M*K1, E]`, M segments.
            place: The place in `rates`.
            first: The number of the first segment.
            segment: K1.
        """
        rate = self.rates[place]
        if not rate:
            return sequence
        shape = tf.shape(sequence)
        shape = tf.stack([shape[0], segment, shape[2]])
        static = isinstance(segment, int) and sequence.shape[1] is not None
        count = sequence.shape[1] // segment if static else tf.shape(sequence)[1] // segment

        def keep(number: Any) -> tf.Tensor:
            offset = tf.stack([place * 7, SEED_STEP * (first + number)])
            seed = self.seed + tf.cast(offset, self.seed.dtype)
            return tf.random.stateless_uniform(shape, seed) >= rate

        mask = tf.map_fn(keep, tf.range(count), fn_output_signature=tf.bool)  # [M, B, K1, E]
        mask = tf.reshape(tf.transpose(mask, [1, 0, 2, 3]), tf.shape(sequence))
        return tf.where(mask, sequence / (1.0 - rate), 0)


class SegmentStates(NamedTuple):
    """The result of reading consecutive segments.

    Attributes:
        states: `[B, T', H]`, those of the last layer.
        mask: `[B, T']`, whether a state belongs to a token.
        stream_states: The states of all layers after the segments.
    """

    states: tf.Tensor
    mask: tf.Tensor
    stream_states: StreamState


class SegmentReader:
    """Reads the segments of one batch, any of them several times.

    Args:
        model: A classifier that can read piece by piece; see `TextClassifier.start`.
        ids: `[B, T]`, padding at the right.
        segment: K1, a number or a scalar tensor.
        reach: K2 in segments.

    Attributes:
        count: The number of segments, a scalar tensor.
        start: The states of all layers before the first segment.
        empty_summary: The pooling's summary of no state.
    """

    def __init__(self, model: TextClassifier, ids: tf.Tensor, *, segment: Any, reach: int) -> None:
        batch_size, tokens = tf.shape(ids)[0], tf.shape(ids)[1]
        if model.config.word_rate:
            ids = model.drop_words(ids)
        self.model, self.segment, self.reach = model, segment, reach
        self.count = (tokens + segment - 1) // segment
        self._rows = ids.shape[0]
        padding = [(reach - 1) * segment, self.count * segment - tokens]
        self._ids = tf.pad(ids, [[0, 0], padding])
        *layers, self.empty_summary = model.start(batch_size)
        self.start: StreamState = tuple(layers)
        self._noise = SegmentNoise.draw(model, batch_size)

    def read(
        self, stream_states: StreamState, first: tf.Tensor, *, count: int, training: bool
    ) -> SegmentStates:
        """Reads consecutive segments.

        Args:
            stream_states: The states of all layers before the first of the segments.
            first: Its number; -1 and below are padding in front of the texts.
            count: M, the number of segments to read.
            training: Whether a gradient will be taken.
        """
        begin = (first + self.reach - 1) * self.segment
        # Under XLA the size of a slice must be known, and [begin : end] has none.
        rows = tf.shape(self._ids)[0] if self._rows is None else self._rows
        piece = tf.slice(self._ids, [0, begin], [rows, count * self.segment])  # [B, M*K1]
        if isinstance(self.segment, int):
            piece = tf.ensure_shape(piece, [self._rows, count * self.segment])
        mask = tf.not_equal(piece, Tokenizer.PAD)

        def drop(layer: int, inputs: tf.Tensor) -> tf.Tensor:
            return self._noise.drop(inputs, layer, first=first, segment=self.segment)

        states = drop(0, self.model.embedding(piece))  # [B, M*K1, E]
        if self.model.stack is not None:
            states, stream_states = self.model.stack.advance(
                stream_states,
                states,
                mask,
                training=training,
                dropout_masks=self._noise.dropout_masks,
                drop=drop,
            )
        return SegmentStates(states, mask, stream_states)
