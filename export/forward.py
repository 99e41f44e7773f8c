"""The classifier's forward pass in few operations of known shapes, for one text at a time.

    ids [1,T], length -> embedding [1,T,E] -> recurrences [1,T,H] -> pooling [1,H] -> scores [1,C]

An interpreter on a phone has no use for what training needs: batches cut into parts, masks at every
step, gradients. The tokens stand at the left; a recurrence that reads backwards gets the real ones
in reversed order (`tf.reverse_sequence`), so that no step needs a mask.
"""

from __future__ import annotations

import dataclasses

import tensorflow as tf

from textrnn.classifier import TextClassifier
from textrnn.export.forms import choose_form, run_form
from textrnn.rnn import RNN
from textrnn.stack import halve_time
from textrnn.tokenizer import Tokenizer

__all__ = ["activate", "forward", "known_ids", "plain_copy"]


def forward(model: TextClassifier, ids: tf.Tensor, length: tf.Tensor, *, form: str) -> tf.Tensor:
    """The logits `[1, C]` of one text.

    Args:
        model: The classifier, built, in float32.
        ids: `[1, T]` of int32, T known; what stands behind the first `length` is not looked at.
        length: `[1]` of int32, the number of tokens.
        form: Of the recurrences; see `textrnn.export.forms`.
    """
    steps = ids.shape[1]
    mask = tf.range(steps)[tf.newaxis] < length[:, tf.newaxis]  # [1, T]
    states = model.embedding(known_ids(ids, model.vocab_size))
    if model.stack is not None:
        for i, layer in enumerate(model.stack.rnns):
            if i > 0 and model.stack.halve:
                steps, length = -(-steps // 2), (length + 1) // 2
                size = 2 * states.shape[-1]
                states, mask = halve_time(states, mask)
                states, mask = tf.reshape(states, [1, steps, size]), tf.reshape(mask, [1, steps])
            read = _read(layer, states, length, form=form, bidirectional=model.stack.bidirectional)
            states = model.stack.finished(i, states, read)
    return model.classify(model.pooling(states, mask=mask))


def _read(
    layer: RNN, sequence: tf.Tensor, length: tf.Tensor, *, form: str, bidirectional: bool
) -> tf.Tensor:
    """The outputs `[1, T, H]` of one layer, `[1, T, 2H]` of a bidirectional one."""
    if not bidirectional:
        return _run(layer, sequence, form=form)
    ahead = _run(layer.forward_layer, sequence, form=form)
    back = _run(layer.backward_layer, tf.reverse_sequence(sequence, length, seq_axis=1), form=form)
    return tf.concat([ahead, tf.reverse_sequence(back, length, seq_axis=1)], axis=-1)


def _run(layer: RNN, sequence: tf.Tensor, *, form: str) -> tf.Tensor:
    """The outputs `[1, T, H]` of a recurrence over a sequence in the order of reading."""
    _, steps, size = sequence.shape
    earlier = layer.window - 1
    padded = tf.pad(sequence, [[0, 0], [earlier, 0], [0, 0]])
    shifted = [padded[:, start : start + steps] for start in range(earlier, -1, -1)]
    inputs = tf.concat(shifted, axis=-1)  # [1, T, w*E]
    inputs = tf.reshape(inputs, [steps, 1, layer.window * size])
    outputs = run_form(choose_form(layer.cell, form), layer.cell, inputs)
    return tf.reshape(outputs, [1, steps, layer.cell.output_size])


def known_ids(ids: tf.Tensor, vocab_size: int) -> tf.Tensor:
    """The ids, the unknown token's in place of those that are none: a look-up would fail."""
    return tf.where((ids >= 0) & (ids < vocab_size), ids, Tokenizer.UNK)


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
