"""Truncated back-propagation through time: the gradient of long texts in constant memory.

A text of any length has one loss, at its end, yet no more than K2 tokens are held at a time:

1. Forwards without a gradient, K1 tokens a segment. The recurrence's memory before each segment is
   kept, and what the head's summary is before it (P_j) and after it (Q_j).
2. The loss of the whole text, and its gradient by the pooled vector c.
3. Segment by segment again, now with a gradient: the recurrence reads the K2 tokens that end with
   the segment, from the memory that was kept, which counts as a constant. With a_j what the
   segment's own K1 states add to the head,

       gradient = sum_j  (dL/dc)  d c(P_j, a_j, Q_j) / d weights.

Only the path from a state back beyond K2 tokens is cut: every state's part in the head is exact,
and with K2 as long as the text so is the gradient. K1 and K2 are k1 and k2 of Williams & Peng 1990,
"An Efficient Gradient-Based Algorithm for On-Line Training of Recurrent Network Trajectories".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from textrnn.layers.cells import States
from textrnn.layers.stack import StreamState
from textrnn.models.classifier import TextClassifier
from textrnn.text.tokenizer import Tokenizer
from textrnn.training.update.lazy_adam import RowGradient, row_gradient

__all__ = ["truncated_gradients"]

SEED_STEP = 1_000_003
"""Between the noise of two segments."""


class _Noise(NamedTuple):
    """The dropout of one batch, the same each time a segment is read.

    Attributes:
        seed: `[2]`.
        rates: Of each place: of the embeddings, then before each layer above the first.
        dropout_masks: The recurrent dropout of each layer.
    """

    seed: tf.Tensor
    rates: tuple[float, ...]
    dropout_masks: list[tf.Tensor | None]

    def drop(self, sequence: tf.Tensor, place: int, first: tf.Tensor, segment: Any) -> tf.Tensor:
        """Dropout of some segments `[B, M*K1, E]`, `first` the number of the first of them."""
        rate = self.rates[place]
        if not rate:
            return sequence
        shape = tf.shape(sequence)
        shape = tf.stack([shape[0], segment, shape[2]])
        count = sequence.shape[1] // segment if isinstance(segment, int) else None
        parts = tf.shape(sequence)[1] // segment if count is None else count

        def keep(number: Any) -> tf.Tensor:
            offset = tf.stack([place * 7, SEED_STEP * (first + number)])
            seed = self.seed + tf.cast(offset, self.seed.dtype)
            return tf.random.stateless_uniform(shape, seed) >= rate

        kept = tf.map_fn(keep, tf.range(parts), fn_output_signature=tf.bool)  # [M, B, K1, E]
        kept = tf.reshape(tf.transpose(kept, [1, 0, 2, 3]), tf.shape(sequence))
        return tf.where(kept, sequence / (1.0 - rate), 0)


def truncated_gradients(
    model: TextClassifier,
    ids: tf.Tensor,
    objective: Callable[[tf.Tensor], tf.Tensor],
    *,
    segment: Any,
    reach: int,
) -> tuple[list[Any], tf.Tensor, tf.Tensor]:
    """The gradients of an objective of whole texts, cut beyond K2 tokens.

    Args:
        model: One that can read piece by piece; see `TextClassifier.start`.
        ids: `[B, T]`, padding at the right.
        objective: Of logits `[B, C]`, a scalar.
        segment: K1, a number or a scalar tensor.
        reach: K2 in segments.

    Returns:
        The gradient of each trainable variable (the embedding's as a `RowGradient`), the objective
        and the logits.
    """
    batch, tokens = tf.shape(ids)[0], tf.shape(ids)[1]
    if model.config.word_dropout:
        ids = model.drop_words(ids)
    segments = (tokens + segment - 1) // segment
    ids = tf.pad(ids, [[0, 0], [(reach - 1) * segment, segments * segment - tokens]])
    start = model.start(batch)
    noise = _draw_noise(model, batch)

    def read(
        layers: StreamState, first: tf.Tensor, parts: int, *, training: bool
    ) -> tuple[tf.Tensor, tf.Tensor, StreamState]:
        """States of the segments from this one on, their mask, and the memory after them."""
        begin = (first + reach - 1) * segment
        piece = ids[:, begin : begin + parts * segment]
        if isinstance(segment, int):
            piece = tf.ensure_shape(piece, [ids.shape[0], parts * segment])
        mask = tf.not_equal(piece, Tokenizer.PAD)
        states = noise.drop(model.embedding(piece), 0, first, segment)
        if model.stack is not None:
            states, layers = model.stack.advance(
                layers,
                states,
                mask,
                training=training,
                dropout_masks=noise.dropout_masks,
                drop=lambda layer, inputs: noise.drop(inputs, layer, first, segment),
            )
        return states, mask, layers

    kept = _read_forwards(model, read, start, segments)
    with tf.GradientTape() as tape:
        pooled = tf.stop_gradient(model.pooling.finish(kept.whole))
        tape.watch(pooled)
        logits = model.classify(model.pooled_dropout(pooled, training=True))
        value = objective(tf.cast(logits, tf.float32))
    top = model.classify.trainable_variables
    d_pooled, *d_top = tape.gradient(value, [pooled, *top])
    gradients = {id(v): g for v, g in zip(top, d_top, strict=True)}

    below = [v for v in model.trainable_variables if id(v) not in gradients]
    table = model.embedding.embeddings

    def add_segment(j: tf.Tensor, sums: list[Any]) -> tuple[tf.Tensor, list[Any]]:
        first = j - (reach - 1)
        layers = kept.memory_before(tf.maximum(first, 0))
        with tf.GradientTape() as tape:
            states, mask, _ = read(layers, first, reach, training=True)
            own = (reach - 1) * segment
            summary = model.pooling.add(kept.before(j), states[:, own:], mask[:, own:])
            later, any_later = kept.after(j)
            summary = model.pooling.merge(summary, later, any_later=any_later)
            part = tf.reduce_sum(d_pooled * model.pooling.finish(summary))
        found = tape.gradient(part, below)
        return j + 1, [
            _plus(old, new, variable) for old, new, variable in zip(sums, found, below, strict=True)
        ]

    zeros = [
        RowGradient(tf.zeros(v.shape), tf.zeros([v.shape[0], 1]))
        if v is table
        else tf.zeros(v.shape)
        for v in below
    ]
    _, sums = tf.while_loop(
        lambda j, _: j < segments, add_segment, (tf.constant(0), zeros), parallel_iterations=1
    )
    gradients |= {id(v): g for v, g in zip(below, sums, strict=True)}
    return [gradients[id(v)] for v in model.trainable_variables], value, logits


class _Kept(NamedTuple):
    """What the first reading leaves; all of it is constant, and small beside the states."""

    memory: list[tf.TensorArray]
    memory_form: StreamState
    prefixes: list[tf.TensorArray]
    suffixes: list[tf.TensorArray]
    any_later: tf.TensorArray
    whole: States

    def memory_before(self, j: tf.Tensor) -> StreamState:
        flat = [array.read(j) for array in self.memory]
        packed: StreamState = tf.nest.pack_sequence_as(self.memory_form, flat)
        return packed

    def before(self, j: tf.Tensor) -> States:
        return tuple(array.read(j) for array in self.prefixes)

    def after(self, j: tf.Tensor) -> tuple[States, tf.Tensor]:
        return tuple(array.read(j) for array in self.suffixes), self.any_later.read(j)


def _read_forwards(
    model: TextClassifier, read: Callable[..., Any], start: StreamState, segments: tf.Tensor
) -> _Kept:
    """Reads all segments, then merges the head's summaries from the end."""
    layers_form, empty = start[:-1], start[-1]
    flat = tf.nest.flatten(layers_form)

    def arrays(tensors: Any) -> list[tf.TensorArray]:
        return [
            tf.TensorArray(t.dtype, segments, clear_after_read=False, element_shape=t.shape)
            for t in tensors
        ]

    def step(j: Any, layers: Any, summary: Any, kept: Any) -> Any:
        memory, prefixes, owns, lengths = kept
        memory = [array.write(j, t) for array, t in zip(memory, layers, strict=True)]
        prefixes = [array.write(j, t) for array, t in zip(prefixes, summary, strict=True)]
        packed = tf.nest.pack_sequence_as(layers_form, layers)
        states, mask, after = read(packed, j, 1, training=False)
        own = model.pooling.add(empty, states, mask)
        owns = [array.write(j, t) for array, t in zip(owns, own, strict=True)]
        lengths = lengths.write(j, tf.reduce_any(mask, axis=1, keepdims=True))
        summary = model.pooling.add(tuple(summary), states, mask)
        return j + 1, tf.nest.flatten(after), list(summary), (memory, prefixes, owns, lengths)

    bools = tf.TensorArray(tf.bool, segments, clear_after_read=False)
    begin = (
        tf.constant(0),
        flat,
        list(empty),
        (arrays(flat), arrays(empty), arrays(empty), bools),
    )
    _, _, whole, (memory, prefixes, owns, lengths) = tf.while_loop(
        lambda j, *_: j < segments, step, begin, parallel_iterations=1
    )

    def step_back(j: Any, later: Any, any_later: tf.Tensor, kept: Any) -> Any:
        suffixes, flags = kept
        suffixes = [array.write(j, t) for array, t in zip(suffixes, later, strict=True)]
        flags = flags.write(j, any_later)
        own = tuple(array.read(j) for array in owns)
        merged = model.pooling.merge(own, tuple(later), any_later=any_later)
        return j - 1, list(merged), any_later | lengths.read(j), (suffixes, flags)

    batch = tf.shape(flat[0] if flat else empty[0])[0]
    flags = tf.TensorArray(tf.bool, segments, clear_after_read=False)
    _, _, _, (suffixes, flags) = tf.while_loop(
        lambda j, *_: j >= 0,
        step_back,
        (segments - 1, list(empty), tf.zeros([batch, 1], tf.bool), (arrays(empty), flags)),
        parallel_iterations=1,
    )
    return _Kept(memory, layers_form, prefixes, suffixes, flags, tuple(whole))


def _draw_noise(model: TextClassifier, batch: tf.Tensor) -> _Noise:
    config = model.config
    layers = [] if model.stack is None else model.stack.rnns
    return _Noise(
        seed=tf.convert_to_tensor(model.seed_generator.next()),
        rates=(config.embedding_dropout, *(config.dropout for _ in layers[1:])),
        dropout_masks=[rnn.cell.dropout_mask(batch, training=True) for rnn in layers],
    )


def _plus(sum: Any, gradient: Any, variable: Any) -> Any:
    if isinstance(sum, RowGradient):
        new = row_gradient(gradient, variable.shape[0])
        touched = tf.maximum(sum.touched, new.touched)
        return RowGradient(sum.values + new.values, touched)
    return sum if gradient is None else sum + gradient
