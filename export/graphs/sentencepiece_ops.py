"""Tokenisation inside a graph, with TF Text's SentencePiece operation."""

from __future__ import annotations

import tensorflow as tf

from textrnn.runtime.text.cuts import LONG_TEXT
from textrnn.text.tokenizer import Tokenizer

__all__ = ["PieceTokenizer"]

# A split at spaces would break these into words.
_LINE_BREAK = "<[bB][rR](>|/>| />)"
# `Tokenizer` splits long texts at these too. A split without a separator would split at U+000B.
_SPACES = "[\t\n\f\r]"


class PieceTokenizer(tf.Module):
    """Gives the same ids as `Tokenizer`, for all texts and all bytes.

    Args:
        tokenizer: The tokenizer.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        import tensorflow_text

        super().__init__()
        self._words_apart = tokenizer.words_apart
        self.pieces = tensorflow_text.SentencepieceTokenizer(
            model=tokenizer.to_bytes(), out_type=tf.int32
        )

    def tokenize(self, text: tf.Tensor) -> tf.RaggedTensor:
        """Returns the ids `[B, (T)]` of texts `[B]`."""
        # SentencePiece reads bytes that are not UTF-8 in its own way. The classifier gets U+FFFD
        # for them, which its rules replace by a space.
        text = tf.strings.unicode_transcode(
            text, "UTF-8", "UTF-8", errors="replace", replacement_char=0xFFFD
        )
        if not self._words_apart:
            ids: tf.RaggedTensor = self.pieces.tokenize(text)
            return ids
        longest = tf.reduce_max(tf.concat([[0], tf.strings.length(text)], axis=0))
        values, lengths = tf.cond(
            longest > LONG_TEXT,
            lambda: _values_and_lengths(self._word_by_word(text)),
            lambda: _values_and_lengths(self.pieces.tokenize(text)),
        )
        return tf.RaggedTensor.from_row_lengths(values, lengths)

    def _word_by_word(self, text: tf.Tensor) -> tf.RaggedTensor:
        """Returns the ids `[B, (T)]` of long texts, whose words `Tokenizer` encodes one by one."""
        text = tf.strings.regex_replace(text, _LINE_BREAK, " ")
        text = tf.strings.regex_replace(text, _SPACES, " ")
        words = tf.strings.split(text, " ")  # [B, (W)]
        return words.with_flat_values(self.pieces.tokenize(words.flat_values)).merge_dims(1, 2)


def _values_and_lengths(ids: tf.RaggedTensor) -> tuple[tf.Tensor, tf.Tensor]:
    return ids.flat_values, ids.row_lengths()
