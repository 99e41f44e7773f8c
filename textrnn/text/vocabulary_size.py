"""The size of a vocabulary that the user did not choose."""

from __future__ import annotations

import collections
import itertools
import math
from collections.abc import Iterable, Sequence

import numpy as np

from textrnn.runtime.text.scripts import count_words, unsegmented_share

__all__ = [
    "BYTE_PIECES",
    "CHARACTER_ROOM",
    "FEWEST_PIECES",
    "LOWEST_COVERAGE",
    "MOST_PIECES",
    "WORDS_PER_PIECE",
    "choose_vocab_size",
    "count_characters",
    "most_pieces",
]

BYTE_PIECES = 2 + 256
"""Pieces of a byte vocabulary: padding, the unknown piece and the 256 bytes."""

WORDS_PER_PIECE = 20
WORDS_PER_UNSPACED_PIECE = 100
FEWEST_PIECES = 1000
MOST_PIECES = 16_000
"""The largest vocabulary that is chosen automatically."""

PIECES_PER_CLASS_TEXT = 20
TEXTS_PER_PIECE = 8
"""Limits of an automatic vocabulary of a classifier; see `most_pieces`."""

CHARACTER_ROOM = 1.25
"""Pieces for each character that the vocabulary must hold."""

LOWEST_COVERAGE = 0.98
"""The lowest `character_coverage` that SentencePiece accepts."""


def most_pieces(labels: int, *, classes: int) -> int:
    """Returns the largest vocabulary that is chosen for a classifier.

    What a piece says about a class is learned from the texts of that class that have it, so that
    few texts of a class teach few pieces: 20 for each text of an average class, or one for 8 texts
    if that is more. On clinc150's 150 classes of 100 texts, 2,000 pieces have a validation log
    loss of 0.256, and 6,200 pieces 0.270 (three seeds); docs/accuracy.md has more.

    Args:
        labels: The number of labels of all training texts.
        classes: C.
    """
    limit = max(PIECES_PER_CLASS_TEXT * labels // classes, labels // TEXTS_PER_PIECE)
    return min(MOST_PIECES, max(FEWEST_PIECES, limit))


def choose_vocab_size(
    chunks: Sequence[str], normalized: Sequence[str], *, most: int = MOST_PIECES
) -> int:
    """Chooses a vocabulary in which each piece occurs often enough for its vector to be learned.

    One piece for 20 words. A model memorises whole words that occur once or twice; if it reads
    them as pieces of more frequent words, it learns what they mean. On 5,000 questions (TREC-6, one
    seed, the same model), 3,000 pieces classified 84.6 % of the validation and 88.4 % of the test
    texts correctly, 8,600 pieces 84.0 and 83.6 %.

    One piece for 100 words of texts without spaces between words: a piece then is a character or a
    short word, and the model finds the longer ones. Of 12,000 Chinese reviews, with n-grams, 5,000
    pieces classified 85.4 % of the validation and 85.0 % of the test texts correctly, 16,000 pieces
    85.1 and 84.3 % (one seed).

    A few Chinese texts may have more characters than that. Then the vocabulary has room for the
    characters that make up 98 % of the texts, and the rarer ones are unknown.

    Args:
        chunks: The training texts.
        normalized: The same texts after normalisation.
        most: The largest size, but for the characters that need room.
    """
    words = sum(map(count_words, chunks))
    unspaced = unsegmented_share(chunks) > 0.5
    words_per_piece = WORDS_PER_UNSPACED_PIECE if unspaced else WORDS_PER_PIECE
    size = min(most, max(FEWEST_PIECES, int(words) // words_per_piece))
    characters = count_characters(normalized)
    if CHARACTER_ROOM * len(characters) <= size:
        return size
    running_total = np.cumsum(sorted(characters.values(), reverse=True))
    needed = int(np.searchsorted(running_total, LOWEST_COVERAGE * running_total[-1])) + 1
    return max(size, math.ceil(CHARACTER_ROOM * needed))


def count_characters(texts: Iterable[str]) -> collections.Counter[str]:
    """Counts how often each character occurs in the texts."""
    return collections.Counter(itertools.chain.from_iterable(texts))
