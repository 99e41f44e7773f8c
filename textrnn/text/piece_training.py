"""Learning the pieces of a corpus, by SentencePiece's trainer."""

from __future__ import annotations

import collections
import io
import math
import random
import re
import struct
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import sentencepiece

from textrnn.config.tokenizer import TokenizerConfig
from textrnn.errors import ConfigError, DataError
from textrnn.text.scripts import UNSPACED, count_unspaced_words, count_words

__all__ = [
    "BYTE_PIECES",
    "MOST_PIECES",
    "RECIPE",
    "learn_pieces",
    "model_parts",
    "notes",
    "sample_parts",
    "valid_unicode",
]

# The sums of EM depend on how the texts are dealt out to threads: a constant on every machine.
_TRAINING_THREADS = 8
# SentencePiece skips a longer training text without a word, and BPE counts positions in 16 bits.
_PART_CHARS = 1000
# A part ends before white space that is not that of "<br />", or behind a full-width mark.
_PART = re.compile(
    rf"(?s).{{1,{_PART_CHARS}}}(?:(?=\s(?!/>)|\Z)|(?<=[，。！？；：、]))|.{{1,{_PART_CHARS}}}"  # noqa: RUF001
)
# A first try keeps nearly every character, so that "$" or "é" is known in an English corpus; the
# next ones drop rare characters where there are too many for the vocabulary (0.98: the lowest
# that SentencePiece takes).
_COVERAGES = (0.99999, 0.9995, 0.98)
# Steps of a score's unit: sums stay exact to 2**24 / 64 = 262,144, about 30,000 pieces.
_SCORE_STEPS = 64
BYTE_PIECES = 2 + 256
_WORDS_A_PIECE = 20
_FEWEST_PIECES = 1000
MOST_PIECES = 16_000
"""Of a vocabulary whose size is not given."""

# Pieces for each character that a vocabulary must hold, where its size is not given.
_CHARACTER_ROOM = 1.25
# Of the characters, above which it is worth a note that they are unknown.
_FEW_UNKNOWN = 0.001
# Words that stand between two spaces, on average, where texts have no spaces between words.
_WORDS_UNCUT = 3.0
_FEW_UNCUT, _MOST_UNCUT = 0.1, 0.5
_SURROGATE = re.compile("[\ud800-\udfff]")

RECIPE = (
    *(_COVERAGES, _SCORE_STEPS, _WORDS_A_PIECE, _FEWEST_PIECES, MOST_PIECES, _CHARACTER_ROOM),
    *(_TRAINING_THREADS, _PART.pattern, UNSPACED.pattern),
)
"""What, beside the settings, decides which pieces are learned."""


def learn_pieces(
    parts: list[str],
    config: TokenizerConfig,
    *,
    rules: sentencepiece.SentencePieceNormalizer,
    pad_id: int,
    unk_id: int,
) -> bytes:
    """Trains a SentencePiece model.

    Args:
        parts: The texts, from `sample_parts`.
        config: The settings.
        rules: The normalisation that becomes part of the model.
        pad_id: The id of padding.
        unk_id: The id of the unknown piece.

    Returns:
        The serialised model.

    Raises:
        ConfigError: `vocab_size` is given and too small for the characters of the texts, or the
            pieces are to be words, and most texts have no spaces between them.
        DataError: The trainer cannot learn from these texts.
    """
    kind, texts = config.piece_type, [rules.normalize(part) for part in parts]
    if kind == "word" and _uncut_share(parts) > _MOST_UNCUT:
        raise ConfigError(
            "`piece_type` word needs texts with spaces between words, got texts most of whose "
            "words are in scripts without; choose --piece-type unigram or char."
        )
    byte = kind == "byte"
    settings: dict[str, Any] = {
        "model_type": "char" if byte else kind,
        "vocab_size": BYTE_PIECES if byte else config.vocab_size or _vocab_size(parts, texts),
        "byte_fallback": byte,
        "hard_vocab_limit": False,
        "pad_id": pad_id,
        "unk_id": unk_id,
        "bos_id": -1,
        "eos_id": -1,
        "input_sentence_size": 0,
        "shuffle_input_sentence": False,
        "max_sentence_length": 4 * _PART_CHARS,  # Bytes.
        "num_threads": _TRAINING_THREADS,
        "minloglevel": 2,
    }
    words = _words(texts) if kind == "unigram" else []
    return _train(parts + words, settings, rules, given=config.vocab_size is not None)


def _train(
    parts: list[str],
    settings: dict[str, Any],
    rules: sentencepiece.SentencePieceNormalizer,
    *,
    given: bool,
) -> bytes:
    """Runs SentencePiece's trainer, with fewer characters where the vocabulary is too small."""
    needed = ""
    for coverage in _COVERAGES:
        model = io.BytesIO()
        try:
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=iter(parts),
                model_writer=model,
                normalizer=rules,
                character_coverage=coverage,
                **settings,
            )
        except (RuntimeError, ValueError) as error:
            size = re.search(r"smaller than required_chars\. \d+ vs (\d+)", str(error))
            if size is None:
                raise DataError(
                    f"SentencePiece could not learn {settings['model_type']} pieces from "
                    f"{sum(map(len, parts)):,} characters of text; try piece type byte or char."
                ) from error
            needed = size[1]
        else:
            return _round_scores(model.getvalue())
    if not given:  # Counted otherwise than `_vocab_size` does.
        larger = math.ceil(_CHARACTER_ROOM * int(needed))
        return _train(parts, {**settings, "vocab_size": larger}, rules, given=True)
    raise ConfigError(
        f"`vocab_size` (--vocab-size) must be at least {needed} to hold the characters of these "
        f"texts, got {settings['vocab_size']}; leave it out, or choose piece type char or byte, "
        "which need not hold them all."
    )


def _vocab_size(parts: Sequence[str], texts: Sequence[str]) -> int:
    """How many pieces a corpus can teach: each is to be seen often enough to learn its vector.

    Whole words that stand once or twice are learned by heart; as pieces of more frequent ones
    they are understood. On 5,000 questions (TREC-6, one seed, the same model) 3,000 pieces got
    84.6 % of the validation and 88.4 % of the test texts right, 8,600 pieces 84.0 and 83.6 %.
    Where the characters alone are more, as in a few Chinese texts, those that make up 98 % of the
    texts have room; the rarer ones are unknown.
    """
    words = sum(map(count_words, parts))
    size = min(MOST_PIECES, max(_FEWEST_PIECES, int(words) // _WORDS_A_PIECE))
    if _CHARACTER_ROOM * len(set().union(*texts)) <= size:
        return size
    counts = sorted(_characters(texts).values(), reverse=True)
    seen = np.cumsum(counts)
    needed = int(np.searchsorted(seen, _COVERAGES[-1] * seen[-1])) + 1
    return max(size, math.ceil(_CHARACTER_ROOM * needed))


def notes(
    parts: Sequence[str],
    config: TokenizerConfig,
    pieces: Sequence[str],
    *,
    rules: sentencepiece.SentencePieceNormalizer,
) -> Iterator[str]:
    """What to know of a vocabulary, a sentence each.

    Args:
        parts: The texts that it was learned from.
        config: The settings.
        pieces: The vocabulary.
        rules: The normalisation.
    """
    if config.vocab_size is not None and len(pieces) < config.vocab_size:
        yield (
            f"found {len(pieces):,} pieces, fewer than the {config.vocab_size:,} of --vocab-size: "
            "the texts give no more"
        )
    if config.piece_type == "byte":
        return
    if config.piece_type == "word":
        uncut = _uncut_share(parts)
        if uncut > _FEW_UNCUT:
            yield (
                f"{uncut:.0%} of the words are in scripts without spaces between words and will "
                "be unknown; --piece-type unigram or char reads them"
            )
        return
    texts, known = [rules.normalize(part) for part in parts], set().union(*pieces)
    if unknown := set().union(*texts) - known:
        counts = _characters(texts)
        rare, total = sum(counts[character] for character in unknown), sum(counts.values())
        if rare > _FEW_UNKNOWN * total:
            yield (
                f"{len(unknown):,} of {len(counts):,} characters are rare, {rare / total:.1%} of "
                "the text, and will be unknown"
            )


def _characters(texts: Sequence[str]) -> collections.Counter[str]:
    counts: collections.Counter[str] = collections.Counter()
    for text in texts:
        counts.update(text)
    return counts


def _uncut_share(parts: Sequence[str]) -> float:
    """The share of the words that no space sets apart from others; see `_WORDS_UNCUT`."""
    unspaced = tokens = 0.0
    for part in parts:
        if words := count_unspaced_words(part):
            unspaced += words
            tokens += sum(UNSPACED.search(token) is not None for token in part.split())
    if unspaced <= _WORDS_UNCUT * tokens:
        return 0.0
    return unspaced / sum(map(count_words, parts))


def _words(texts: Sequence[str]) -> list[str]:
    """Every word of the normalised texts once, sorted, but for scripts without spaces.

    The unigram trainer starts from substrings that go on in more than one way. A word that a
    space always follows is none: without a second ending, "when" became "wh" + "en" in 5,000
    questions. Beside the texts, each word alone is that second ending. A sentence without spaces
    would be one too, and each of its substrings would then stand in the texts twice.
    """
    found: set[str] = set()
    for text in texts:
        found.update(text.split("\u2581"))
    return sorted(word for word in found if word and not UNSPACED.search(word))


def sample_parts(texts: Sequence[str], limit: int, *, seed: int) -> list[str]:
    """Random texts of `limit` characters together, cut into parts that the trainer takes."""
    order = list(range(len(texts)))
    if sum(map(len, texts)) > limit:
        random.Random(seed).shuffle(order)
    parts: list[str] = []
    for i in order:
        text = valid_unicode(texts[i][:limit])
        limit -= len(text)
        # The trainer skips a text with U+2585, its own mark of a rare character.
        parts += _PART.findall(text.replace("\u2585", " "))
        if limit <= 0:
            break
    return parts


def _round_scores(model: bytes) -> bytes:
    """Rounds the pieces' scores so that sums of them are exact in float32.

    Equally good segmentations ("...." + "." and "." + "....") are then ties in every version of
    the library, which all break alike; with raw scores the rounding of the sum decides, TF Text
    2.21 and sentencepiece 0.2.3 sum differently, and one review in 170 gets different ids.
    """
    rounded = bytearray(model)
    for field, start, end in model_parts(model):
        if field != 1:
            continue
        # pieces { string piece = 1; float score = 2; ... }
        _, _, length = next(model_parts(model[start:end]))
        at = start + length
        if model[at] == 0x15:
            (score,) = struct.unpack_from("<f", model, at + 1)
            struct.pack_into("<f", rounded, at + 1, round(score * _SCORE_STEPS) / _SCORE_STEPS)
    return bytes(rounded)


def model_parts(model: bytes) -> Iterator[tuple[int, int, int]]:
    """Walks over a protocol buffer of sub-messages: the field, start and end of each.

    Written out because `sentencepiece_model_pb2` demands the very protobuf it was generated with
    (7.36 in sentencepiece 0.2.3), and TensorFlow admits older ones.
    """
    at = 0
    try:
        while at < len(model):
            field, length = model[at] >> 3, 0
            for shift in range(0, 64, 7):
                at += 1
                length |= (model[at] & 0x7F) << shift
                if model[at] < 0x80:
                    break
            at += 1
            yield field, at, at + length
            at += length
    except IndexError:  # Cut within a length: the last end falls short of the model's.
        return


def valid_unicode(text: str) -> str:
    """The text with U+FFFD for each lone surrogate, which UTF-8 cannot hold."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)
