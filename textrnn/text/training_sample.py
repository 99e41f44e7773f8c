"""The sample of a corpus that a tokenizer is trained on, in chunks of up to 1,000 characters."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

import sentencepiece

from textrnn.config.tokenizer import TokenizerConfig
from textrnn.errors import ConfigError, DataError
from textrnn.runtime.text.unicode import valid_unicode
from textrnn.text.vocabulary_size import BYTE_PIECES

__all__ = ["CHUNK", "CHUNK_CHARS", "sample_chunks", "training_chunks"]

CHUNK_CHARS = 1000
"""SentencePiece skips longer training texts silently, and its BPE has 16 bits for a position."""

CHUNK = re.compile(
    rf"(?s).{{1,{CHUNK_CHARS}}}(?:(?=\s(?!/>)|\Z)|(?<=[，。！？；：、]))|.{{1,{CHUNK_CHARS}}}"  # noqa: RUF001
)
"""A chunk ends before white space, but not within "<br />", or after a full-width punctuation
mark. Where there is neither, it ends after 1,000 characters."""


def sample_chunks(texts: Sequence[str], limit: int, *, seed: int) -> list[str]:
    """Draws random texts and cuts them into chunks.

    >>> sample_chunks(["first text", "second text"], 100, seed=0)
    ['first text', 'second text']

    Args:
        texts: The texts. All of them are used, in order, if they have at most `limit` characters.
        limit: The number of characters in the sample.
        seed: The seed of the random order.

    Returns:
        The chunks; none has more than 1,000 characters.
    """
    order = list(range(len(texts)))
    if sum(map(len, texts)) > limit:
        random.Random(seed).shuffle(order)
    chunks: list[str] = []
    for row in order:
        text = valid_unicode(texts[row][:limit])
        limit -= len(text)
        # The trainer skips a text with U+2585, which it uses itself to mark a rare character.
        chunks += CHUNK.findall(text.replace("\u2585", " "))
        if limit <= 0:
            break
    return chunks


def training_chunks(
    texts: Sequence[str],
    config: TokenizerConfig,
    *,
    seed: int,
    rules: sentencepiece.SentencePieceNormalizer,
) -> list[str]:
    """Returns the sample that the settings ask for; byte pieces need no texts.

    Args:
        texts: The texts.
        config: The settings.
        seed: The seed of the sample.
        rules: The normalisation.

    Raises:
        ConfigError: `vocab_size` is too small for byte pieces.
        DataError: The texts hold no characters to learn from.
    """
    if config.piece_type == "byte":
        if config.vocab_size is not None and config.vocab_size < BYTE_PIECES:
            raise ConfigError(
                f"`vocab_size` must be at least {BYTE_PIECES} for byte pieces, got "
                f"{config.vocab_size}; leave it out."
            )
        return ["a"]
    chunks = sample_chunks(texts, config.sample_chars, seed=seed)
    if not any(rules.normalize(chunk) for chunk in chunks):
        raise DataError(
            f"expected texts to learn a tokenizer from, got {len(texts)} without a character; "
            "check the text column or the file."
        )
    return chunks
