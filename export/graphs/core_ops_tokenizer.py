"""Tokenisation inside a graph, with TensorFlow's core operations alone.

This is possible for tokenizers of bytes or words whose normalisation is `plain`. TensorFlow has no
core operation for NFKC, nor for SentencePiece's search for the best pieces.
"""

from __future__ import annotations

import re

import numpy as np
import tensorflow as tf

from textrnn.config.tokenizer import TokenizerConfig
from textrnn.errors import ConfigError, ModelError
from textrnn.runtime.text.sentencepiece_proto import proto_fields
from textrnn.text.normalization import LINE_BREAKS, PLAIN_SPACES, PUNCTUATION, normalizer
from textrnn.text.tokenizer import Tokenizer

__all__ = ["PlainTokenizer", "plain_obstacle"]

_WORD_MARK = "\u2581"


class PlainTokenizer(tf.Module):
    """Gives the same ids as `Tokenizer`, for all texts and all bytes.

    Args:
        tokenizer: The tokenizer.
        config: The settings of the tokenizer's training.

    Raises:
        ConfigError: Core operations cannot do what the tokenizer does.
        ModelError: The tokenizer follows rules of another version of textrnn.
    """

    def __init__(self, tokenizer: Tokenizer, config: TokenizerConfig) -> None:
        super().__init__()
        obstacle = plain_obstacle(config)
        if obstacle is not None:
            raise ConfigError(obstacle)
        if _compiled_rules(config) not in tokenizer.to_bytes():
            raise ModelError(
                "expected a tokenizer with the plain normalisation of this version, got another "
                "normalisation; train again, or export without `plain_ops`."
            )
        self._config = config
        pieces = [tokenizer.id_to_piece(id) for id in range(tokenizer.vocab_size)]
        if config.piece_type == "byte":
            self.ids_of_bytes = np.array(
                [pieces.index(f"<0x{byte:02X}>") for byte in range(256)], np.int32
            )
            return
        # A vocabulary can be empty, a table cannot. No text has the word "".
        words = ["", *(piece.removeprefix(_WORD_MARK) for piece in pieces[Tokenizer.UNK + 1 :])]
        ids = range(Tokenizer.UNK, tokenizer.vocab_size)
        self.ids_of_words = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(words, list(ids), tf.string, tf.int32),
            default_value=Tokenizer.UNK,
        )

    def tokenize(self, text: tf.Tensor) -> tf.RaggedTensor:
        """Returns the ids `[B, (T)]` of texts `[B]`."""
        text = self._normalize(text)
        if self._config.piece_type == "byte":
            characters = tf.strings.bytes_split(text)  # [B, (T)]
            values = tf.reshape(tf.io.decode_raw(characters.flat_values, tf.uint8), [-1])
            ids = tf.gather(self.ids_of_bytes, tf.cast(values, tf.int32))
            return characters.with_flat_values(ids)
        # Normalisation leaves one kind of space. Without a separator, split takes other characters
        # for spaces too.
        words = tf.strings.split(text, " ")
        words = tf.ragged.boolean_mask(words, tf.not_equal(words, ""))
        ids = words.with_flat_values(self.ids_of_words.lookup(words.flat_values))
        # SentencePiece gives one unknown piece for a run of unknown words.
        unknown = tf.equal(ids.flat_values, Tokenizer.UNK)
        rows = ids.value_rowids()
        follows = tf.concat([[False], unknown[:-1] & tf.equal(rows[1:], rows[:-1])], axis=0)[
            : tf.size(unknown)
        ]
        return tf.ragged.boolean_mask(ids, ids.with_flat_values(~(unknown & follows)))

    def _normalize(self, text: tf.Tensor) -> tf.Tensor:
        """Applies the rules of `textrnn.text.normalization`, in their order."""
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
    """Returns why core operations cannot do what a tokenizer does, None if they can."""
    if config.piece_type in ("byte", "word") and config.normalization == "plain":
        return None
    return (
        "`plain_ops` needs a model with `piece_type` word or byte and `normalization` plain, got "
        f"{config.piece_type} and {config.normalization}; train another model, or export without "
        "`plain_ops`."
    )


def _compiled_rules(config: TokenizerConfig) -> bytes:
    """Returns the table in the model of a tokenizer that was trained with this version's rules."""
    spec = normalizer(
        lowercase=config.lowercase,
        word_prefix=config.piece_type == "word",
        plain=True,
        words=config.piece_type == "word",
    ).serialized_normalizer_spec()
    # NormalizerSpec { string name = 1; bytes precompiled_charsmap = 2; ... }
    return next(spec[start:end] for field, start, end in proto_fields(spec) if field == 2)


def _class(characters: tuple[str, ...]) -> str:
    """Returns characters as the content of a character class of a regular expression."""
    return "".join(f"\\x{{{ord(character):x}}}" for character in characters)
