"""The classifier's forward pass in few operations, for other programs.

    ids [B,T], lengths -> embedding [B,T,E] -> recurrences [B,T,H] -> pooling [B,H] -> logits [B,C]

An interpreter on a phone has no use for what training needs: batches cut into parts, masks at every
step, gradients. The tokens stand at the left; a recurrence that reads backwards gets the real ones
in reversed order (`tf.reverse_sequence`), so that no step needs a mask.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import tensorflow as tf

from textrnn.export.graphs.recurrence_forms import choose_form, run_form
from textrnn.layers.rnn import RNN
from textrnn.layers.stack import halve_time
from textrnn.models.classifier import TextClassifier
from textrnn.text.tokenizer import Tokenizer

__all__ = ["activate", "count_tokens", "forward", "known_ids", "plain_copy"]


def forward(model: TextClassifier, ids: tf.Tensor, lengths: tf.Tensor, *, form: str) -> tf.Tensor:
    """The logits `[B, C]` of texts.

    Args:
        model: The classifier, built, in float32.
        ids: `[B, T]` of int32; what stands behind a text's tokens is not looked at. B is 1 and T
            known, unless `form` is `steps`.
        lengths: `[B]` of int32, the number of tokens.
        form: Of the recurrences; see `textrnn.export.graphs.recurrence_forms`.
    """
    mask = tf.range(tf.shape(ids)[1])[tf.newaxis] < lengths[:, tf.newaxis]  # [B, T]
    states = model.embedding(known_ids(ids, model.vocab_size))
    if model.stack is not None:
        for i, layer in enumerate(model.stack.rnns):
            if i > 0 and model.stack.pyramid:
                states, mask, lengths = _halved(states, mask, lengths)
            read = _read(layer, states, lengths, form=form, bidirectional=model.stack.bidirectional)
            states = model.stack.finished(i, states, read)
    return model.classify(model.pooling(states, mask=mask))


def _halved(
    states: tf.Tensor, mask: tf.Tensor, lengths: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """The states, mask and lengths after `halve_time`, their shapes as far as they are known."""
    batch, steps, size = states.shape
    states, mask = halve_time(states, mask)
    if steps is not None:
        steps = -(-steps // 2)
        mask = tf.reshape(mask, [batch, steps])
        states = tf.reshape(states, [batch, steps, 2 * size])
    return tf.ensure_shape(states, [batch, steps, 2 * size]), mask, (lengths + 1) // 2


def _read(
    layer: Any, sequence: tf.Tensor, lengths: tf.Tensor, *, form: str, bidirectional: bool
) -> tf.Tensor:
    """The outputs `[B, T, H]` of one layer, `[B, T, 2H]` of a bidirectional one."""
    if not bidirectional:
        return _run(layer, sequence, form=form)
    forwards, backwards = layer.halves(sequence)
    ahead = _run(layer.forward_layer, forwards, form=form)
    back = tf.reverse_sequence(backwards, lengths, seq_axis=1)
    back = tf.reverse_sequence(
        _run(layer.backward_layer, back, form=form, reverse=True), lengths, seq_axis=1
    )
    return tf.concat([ahead, back], axis=-1)


def _run(layer: RNN, sequence: tf.Tensor, *, form: str, reverse: bool = False) -> tf.Tensor:
    """The outputs `[B, T, H]` of a recurrence over a sequence in the order of reading."""
    batch, steps, _ = sequence.shape
    if reverse:
        layer = RNN(layer.cell, window=layer.window)  # Reads what is reversed already.
    inputs = layer.windowed(sequence)  # [T, B, w*E]
    outputs = run_form(choose_form(layer.cell, form), layer.cell, inputs)
    return tf.ensure_shape(tf.transpose(outputs, [1, 0, 2]), [batch, steps, layer.cell.output_size])


def known_ids(ids: tf.Tensor, vocab_size: int) -> tf.Tensor:
    """The ids, the unknown token's in place of those that are none: a look-up would fail."""
    return tf.where((ids >= 0) & (ids < vocab_size), ids, Tokenizer.UNK)


def count_tokens(ids: tf.Tensor) -> tf.Tensor:
    """The number of tokens `[B]` of ids `[B, T]`."""
    return tf.reduce_sum(tf.cast(tf.not_equal(ids, Tokenizer.PAD), tf.int32), axis=1)


def activate(logits: tf.Tensor, *, multi_label: bool) -> tf.Tensor:
    """Logits `[B, C]` to probabilities."""
    return tf.sigmoid(logits) if multi_label else tf.nn.softmax(logits)


def plain_copy(model: TextClassifier) -> TextClassifier:
    """The same classifier with the plain loop, whose graph other programs can convert."""
    config = dataclasses.replace(model.config, kernel="unroll", recompute=0)
    copy = TextClassifier(model.vocab_size, model.classes, config=config, name="classifier")
    copy.build((None, None))
    copy.set_weights(model.get_weights())
    return copy
