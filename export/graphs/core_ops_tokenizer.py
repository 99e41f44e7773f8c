"""Texts into ids inside a graph, by TensorFlow's core operations alone.

For tokenizers of bytes or words whose normalisation is `plain`: there is no core operation for
NFKC, nor for SentencePiece's search for the best pieces.
"""

from __future__ import annotations

import re

import numpy as np
import tensorflow as tf

from textrnn.config.tokenizer import TokenizerConfig
from textrnn.errors import ConfigError, ModelError
from textrnn.text.normalization import LINE_BREAKS, PLAIN_SPACES, PUNCTUATION, normalizer
from textrnn.text.piece_training import model_parts
from textrnn.text.tokenizer import Tokenizer

__all__ = ["PlainTokenizer", "plain_obstacle"]

_WORD_MARK = "\u2581"


class PlainTokenizer(tf.Module):
    """Gives the ids that `Tokenizer` gives, for every text and all bytes.

    Args:
        tokenizer: The tokenizer.
        config: The settings it was trained with.

    Raises:
        ConfigError: The settings are not such that core operations can do it.
        ModelError: The tokenizer follows other rules than this version's.
    """

    def __init__(self, tokenizer: Tokenizer, config: TokenizerConfig) -> None:
        super().__init__()
        obstacle = plain_obstacle(config)
        if obstacle is not None:
            raise ConfigError(obstacle)
        if _compiled_rules(config) not in tokenizer.to_bytes():
            raise ModelError(
                "the tokenizer's normalisation must be the plain one of this version, got another; "
                "train again, or export without --plain-ops."
            )
        self._config = config
        pieces = [tokenizer.id_to_piece(id) for id in range(tokenizer.vocab_size)]
        if config.piece_type == "byte":
            self.ids_of_bytes = np.array(
                [pieces.index(f"<0x{byte:02X}>") for byte in range(256)], np.int32
            )
            return
        # A table cannot be empty, and a vocabulary can; no text has the word "".
        words = ["", *(piece.removeprefix(_WORD_MARK) for piece in pieces[Tokenizer.UNK + 1 :])]
        ids = range(Tokenizer.UNK, tokenizer.vocab_size)
        self.ids_of_words = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(words, list(ids), tf.string, tf.int32),
            default_value=Tokenizer.UNK,
        )

    def tokenize(self, text: tf.Tensor) -> tf.RaggedTensor:
        """The ids `[B, (T)]` of texts `[B]`."""
        text = self._normalize(text)
        if self._config.piece_type == "byte":
            characters = tf.strings.bytes_split(text)  # [B, (T)]
            values = tf.reshape(tf.io.decode_raw(characters.flat_values, tf.uint8), [-1])
            ids = tf.gather(self.ids_of_bytes, tf.cast(values, tf.int32))
            return characters.with_flat_values(ids)
        # By the only space there is left; split without a separator, others would count.
        words = tf.strings.split(text, " ")
        words = tf.ragged.boolean_mask(words, tf.not_equal(words, ""))
        ids = words.with_flat_values(self.ids_of_words.lookup(words.flat_values))
        # A run of unknown words is one unknown piece.
        unknown = tf.equal(ids.flat_values, Tokenizer.UNK)
        rows = ids.value_rowids()
        follows = tf.concat([[False], unknown[:-1] & tf.equal(rows[1:], rows[:-1])], axis=0)[
            : tf.size(unknown)
        ]
        return tf.ragged.boolean_mask(ids, ids.with_flat_values(~(unknown & follows)))

    def _normalize(self, text: tf.Tensor) -> tf.Tensor:
        """The rules of `textrnn.text.normalization`, in the order of their reach."""
        text = tf.strings.unicode_transcode(
            text, "UTF-8", "UTF-8", errors="replace", replacement_char=0xFFFD
        )
        text = tf.strings.regex_replace(text, "|".join(map(re.escape, LINE_BREAKS)), " ")
        text = tf.strings.regex_replace(text, f"[{_class(PLAIN_SPACES)}]", " ")
        if self._config.lowercase:
            text = tf.strings.lower(text)
        if self._config.piece_type == "word":
            text = tf.strings.regex_replace(text, f"([{_class(PUNCTUATION)}])", r" \1 ")
        text = tf.strings.regex_replace(text, " +", " ")
        return tf.strings.regex_replace(text, "^ | $", "")


def plain_obstacle(config: TokenizerConfig) -> str | None:
    """Why core operations cannot do what a tokenizer does; None if they can."""
    if config.piece_type in ("byte", "word") and config.normalization == "plain":
        return None
    return (
        f"plain operations need pieces that are bytes or words, normalised plainly, got "
        f"{config.piece_type} and {config.normalization}; train with --piece-type word (or byte) "
        "--normalization plain."
    )


def _compiled_rules(config: TokenizerConfig) -> bytes:
    """The table that a tokenizer's model holds if it was trained by the rules of this version."""
    spec = normalizer(
        lowercase=config.lowercase,
        word_prefix=config.piece_type == "word",
        plain=True,
        words=config.piece_type == "word",
    ).serialized_normalizer_spec()
    # NormalizerSpec { string name = 1; bytes precompiled_charsmap = 2; ... }
    return next(spec[start:end] for field, start, end in model_parts(spec) if field == 2)


def _class(characters: tuple[str, ...]) -> str:
    """The inside of a regular expression's class of characters."""
    return "".join(f"\\x{{{ord(character):x}}}" for character in characters)
