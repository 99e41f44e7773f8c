"""The classifier's forward pass in few operations, for other programs.

    ids [B,T], lengths -> embedding [B,T,E] -> recurrences [B,T,H] -> pooling [B,H] -> logits [B,C]

and the logits of n-grams are added if the model has them.

An interpreter on a phone needs no gradients, no micro-batches and no mask at every step, so this
graph is simpler than the model's. The tokens stand at the left. A recurrence that reads backwards
gets the real tokens in reversed order (`tf.reverse_sequence`).
"""

from __future__ import annotations

import dataclasses

import tensorflow as tf

from textrnn.export.graphs.recurrence_forms import choose_form, run_form
from textrnn.layers.bidirectional import Bidirectional
from textrnn.layers.rnn import RNN
from textrnn.layers.stack import RNNStack
from textrnn.models.classifier import TextClassifier
from textrnn.text.tokenizer import Tokenizer

__all__ = ["count_tokens", "forward", "known_ids", "plain_copy"]


def forward(model: TextClassifier, ids: tf.Tensor, *, lengths: tf.Tensor, form: str) -> tf.Tensor:
    """Returns the logits `[B, C]` of texts.

    Args:
        model: The classifier, built, in float32.
        ids: `[B, T]` of int32. The ids after a text's tokens have no effect. B must be 1 and T
            known, unless `form` is `steps`.
        lengths: The number of tokens of each text, `[B]` of int32.
        form: The form of the recurrences; see `textrnn.export.graphs.recurrence_forms`.
    """
    mask = tf.range(tf.shape(ids)[1])[tf.newaxis] < lengths[:, tf.newaxis]  # [B, T]
    token_mask, ids = mask, known_ids(ids, model.vocab_size)
    states = model.embedding(ids)
    if model.stack is not None:
        states, mask = _read_stack(model.stack, states, mask, lengths=lengths, form=form)
    logits = model.classify(model.pooling(states, mask=mask))
    if model.ngrams is None:
        return logits
    return logits + model.ngrams.logits_of(model.ngrams.evidence(ids), token_mask)


def _read_stack(
    stack: RNNStack, sequence: tf.Tensor, mask: tf.Tensor, *, lengths: tf.Tensor, form: str
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the states `[B, T', H']` of the last layer, and their mask."""

    def apply(layer: int, inputs: tf.Tensor, _: tf.Tensor | None) -> tf.Tensor:
        tokens = stack.tokens_per_step(layer)
        steps = lengths if tokens == 1 else (lengths + tokens - 1) // tokens
        return _layer_outputs(stack.rnns[layer], inputs, lengths=steps, form=form)

    states, mask = stack.walk(sequence, mask, apply)
    return states, mask


def _layer_outputs(
    layer: RNN | Bidirectional, sequence: tf.Tensor, *, lengths: tf.Tensor, form: str
) -> tf.Tensor:
    """Returns the outputs `[B, T, H]` of one layer, `[B, T, 2H]` if it is bidirectional."""
    if isinstance(layer, RNN):
        return _run(layer, sequence, form=form)
    forwards, backwards = layer.halves(sequence)
    forward_outputs = _run(layer.forward_layer, forwards, form=form)
    reversed_inputs = tf.reverse_sequence(backwards, lengths, seq_axis=1)
    reversed_outputs = _run(layer.backward_layer, reversed_inputs, form=form, is_reversed=True)
    backward_outputs = tf.reverse_sequence(reversed_outputs, lengths, seq_axis=1)
    return tf.concat([forward_outputs, backward_outputs], axis=-1)


def _run(layer: RNN, sequence: tf.Tensor, *, form: str, is_reversed: bool = False) -> tf.Tensor:
    """Returns the outputs `[B, T, H]` of a recurrence over a sequence in the order of reading."""
    batch, steps, _ = sequence.shape
    if is_reversed:
        # The layer itself would reverse the sequence once more.
        layer = RNN(layer.cell, window=layer.window)
    inputs = layer.windowed(sequence)  # [T, B, w*E]
    outputs = run_form(layer.cell, inputs, form=choose_form(layer.cell, form))
    return tf.ensure_shape(tf.transpose(outputs, [1, 0, 2]), [batch, steps, layer.cell.output_size])


def known_ids(ids: tf.Tensor, vocab_size: int) -> tf.Tensor:
    """Returns the ids with the unknown token for invalid ids, whose look-up would fail."""
    return tf.where((ids >= 0) & (ids < vocab_size), ids, Tokenizer.UNK)


def count_tokens(ids: tf.Tensor) -> tf.Tensor:
    """Returns the number of tokens `[B]` of ids `[B, T]`."""
    return tf.reduce_sum(tf.cast(tf.not_equal(ids, Tokenizer.PAD), tf.int32), axis=1)


def plain_copy(model: TextClassifier) -> TextClassifier:
    """Returns a copy of a classifier with the plain loop, whose graph converters can read."""
    config = dataclasses.replace(model.config, kernel="unroll", recompute=0)
    copy = TextClassifier(
        model.vocab_size,
        model.classes,
        config=config,
        ngram_counts=model.ngram_counts,
        name="classifier",
    )
    copy.build((None, None))
    copy.set_weights(model.get_weights())
    return copy
