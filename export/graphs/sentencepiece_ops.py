"""Texts into ids inside a graph, by TF Text's SentencePiece operation."""

from __future__ import annotations

import tensorflow as tf

from textrnn.text.cuts import LONG_TEXT
from textrnn.text.tokenizer import Tokenizer

__all__ = ["PieceTokenizer"]

# What a split at spaces would tear apart.
_LINE_BREAK = "<[bB][rR](>|/>| />)"
# Where `Tokenizer` cuts a long text too; a split without a separator would cut at U+000B.
_SPACES = "[\t\n\f\r]"


class PieceTokenizer(tf.Module):
    """Gives the ids that `Tokenizer` gives, for every text and all bytes.

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
        """The ids `[B, (T)]` of texts `[B]`."""
        # SentencePiece has its own reading of bytes that are no UTF-8; the classifier was given
        # U+FFFD for them, which its rules turn into a space.
        text = tf.strings.unicode_transcode(
            text, "UTF-8", "UTF-8", errors="replace", replacement_char=0xFFFD
        )
        if not self._words_apart:
            ids: tf.RaggedTensor = self.pieces.tokenize(text)
            return ids
        longest = tf.reduce_max(tf.concat([[0], tf.strings.length(text)], axis=0))
        values, lengths = tf.cond(
            longest > LONG_TEXT,
            lambda: _parts(self._word_by_word(text)),
            lambda: _parts(self.pieces.tokenize(text)),
        )
        return tf.RaggedTensor.from_row_lengths(values, lengths)

    def _word_by_word(self, text: tf.Tensor) -> tf.RaggedTensor:
        """As `Tokenizer` reads a long text, each of whose words has its own best pieces."""
        text = tf.strings.regex_replace(text, _LINE_BREAK, " ")
        text = tf.strings.regex_replace(text, _SPACES, " ")
        words = tf.strings.split(text, " ")  # [B, (W)]
        return words.with_flat_values(self.pieces.tokenize(words.flat_values)).merge_dims(1, 2)


def _parts(ids: tf.RaggedTensor) -> tuple[tf.Tensor, tf.Tensor]:
    return ids.flat_values, ids.row_lengths()
