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
from textrnn.layers.stack import RNNStack
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
        states, mask = _read_stack(model.stack, states, mask, lengths=lengths, form=form)
    return model.classify(model.pooling(states, mask=mask))


def _read_stack(
    stack: RNNStack, sequence: tf.Tensor, mask: tf.Tensor, *, lengths: tf.Tensor, form: str
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the states `[B, T', H']` of the last layer, and their mask."""

    def apply(layer: int, inputs: tf.Tensor, _: tf.Tensor | None) -> tf.Tensor:
        tokens = stack.tokens_per_step(layer)
        steps = lengths if tokens == 1 else (lengths + tokens - 1) // tokens
        rnn = stack.rnns[layer]
        return _read(rnn, inputs, steps, form=form, bidirectional=stack.bidirectional)

    states, mask = stack.walk(sequence, mask, apply)
    return states, mask


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
