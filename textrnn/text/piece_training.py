"""Learns the pieces of a corpus with SentencePiece's trainer."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from typing import Any

import sentencepiece

from textrnn.config.tokenizer import TokenizerConfig
from textrnn.errors import ConfigError, DataError
from textrnn.runtime.text.scripts import UNSPACED, unsegmented_share
from textrnn.runtime.text.sentencepiece_proto import SCORE_STEPS, round_scores
from textrnn.text.training_sample import CHUNK, CHUNK_CHARS
from textrnn.text.vocabulary_size import (
    BYTE_PIECES,
    CHARACTER_ROOM,
    FEWEST_PIECES,
    LOWEST_COVERAGE,
    MOST_PIECES,
    WORDS_PER_PIECE,
    WORDS_PER_UNSPACED_PIECE,
    choose_vocab_size,
)

__all__ = ["RECIPE", "learn_pieces"]

# The sums of EM depend on how the texts are distributed to threads: a constant on every machine.
_TRAINING_THREADS = 8

# The first attempt keeps nearly every character, so that "$" or "é" is known in an English corpus.
# The next ones drop rare characters if there are too many for the vocabulary.
_COVERAGES = (0.99999, 0.9995, LOWEST_COVERAGE)

_MOST_UNSEGMENTED = 0.5
"""The share of words in text without spaces above which word pieces are refused."""

RECIPE = (
    *(_COVERAGES, SCORE_STEPS, WORDS_PER_PIECE, WORDS_PER_UNSPACED_PIECE),
    *(FEWEST_PIECES, MOST_PIECES, CHARACTER_ROOM),
    *(_TRAINING_THREADS, CHUNK.pattern, UNSPACED.pattern),
)
"""The constants that decide, together with the settings, which pieces are learned."""


def learn_pieces(
    chunks: list[str],
    config: TokenizerConfig,
    *,
    rules: sentencepiece.SentencePieceNormalizer,
    pad_id: int,
    unk_id: int,
    most_pieces: int = MOST_PIECES,
) -> bytes:
    """Trains a SentencePiece model.

    Args:
        chunks: The texts, from `sample_chunks`.
        config: The settings.
        rules: The normalisation, which becomes part of the model.
        pad_id: The id of padding.
        unk_id: The id of the unknown piece.
        most_pieces: The largest vocabulary that is chosen if `vocab_size` is not given.

    Returns:
        The serialised model.

    Raises:
        ConfigError: `vocab_size` is given and too small for the characters of the texts, or
            `piece_type` is word and most words are in scripts without spaces between words.
        DataError: The trainer cannot learn from these texts.
    """
    piece_type, normalized = config.piece_type, [rules.normalize(chunk) for chunk in chunks]
    if piece_type == "word" and unsegmented_share(chunks) > _MOST_UNSEGMENTED:
        raise ConfigError(
            "`piece_type` word needs texts with spaces between words, got texts with most words "
            "in scripts without such spaces; choose unigram or char."
        )
    byte = piece_type == "byte"
    vocab_size = config.vocab_size or choose_vocab_size(chunks, normalized, most=most_pieces)
    settings: dict[str, Any] = {
        "model_type": "char" if byte else piece_type,
        "vocab_size": BYTE_PIECES if byte else vocab_size,
        "byte_fallback": byte,
        "hard_vocab_limit": False,
        "pad_id": pad_id,
        "unk_id": unk_id,
        "bos_id": -1,
        "eos_id": -1,
        "input_sentence_size": 0,
        "shuffle_input_sentence": False,
        "max_sentence_length": 4 * CHUNK_CHARS,  # Bytes.
        "num_threads": _TRAINING_THREADS,
        "minloglevel": 2,
    }
    words = _single_words(normalized) if piece_type == "unigram" else []
    return _train(chunks + words, settings, rules, fixed_size=config.vocab_size is not None)


def _train(
    texts: list[str],
    settings: dict[str, Any],
    rules: sentencepiece.SentencePieceNormalizer,
    *,
    fixed_size: bool,
) -> bytes:
    """Runs SentencePiece's trainer, with fewer characters if the vocabulary is too small."""
    needed = ""
    for coverage in _COVERAGES:
        model = io.BytesIO()
        try:
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=iter(texts),
                model_writer=model,
                normalizer=rules,
                character_coverage=coverage,
                **settings,
            )
        except (RuntimeError, ValueError) as error:
            required = re.search(r"smaller than required_chars\. \d+ vs (\d+)", str(error))
            if required is None:
                raise DataError(
                    f"expected texts to learn {settings['model_type']} pieces from, got "
                    f"{sum(map(len, texts)):,} characters that SentencePiece could not learn from; "
                    "choose piece type byte or char."
                ) from error
            needed = required[1]
        else:
            return round_scores(model.getvalue())
    if not fixed_size:  # SentencePiece counts otherwise than `choose_vocab_size`.
        larger = math.ceil(CHARACTER_ROOM * int(needed))
        return _train(texts, {**settings, "vocab_size": larger}, rules, fixed_size=True)
    raise ConfigError(
        f"`vocab_size` must be at least {needed} to hold the characters of these "
        f"texts, got {settings['vocab_size']}; leave it out, or choose piece type char or byte, "
        "which do not need room for all of them."
    )


def _single_words(normalized: Sequence[str]) -> list[str]:
    """Returns every word of the normalised texts once, sorted, without unspaced scripts.

    The unigram trainer starts from substrings that continue in more than one way. A word that is
    always followed by a space continues in only one: "when" became "wh" + "en" in 5,000 questions.
    In this list each word ends without a space, which is the second way. Text of a script without
    spaces would be one long word, and each of its substrings would be counted twice.
    """
    words: set[str] = set()
    for text in normalized:
        words.update(text.split("\u2581"))
    return sorted(word for word in words if word and not UNSPACED.search(word))
