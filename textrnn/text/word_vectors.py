"""Pretrained word vectors as the initial values of the embeddings of pieces.

With c(w) the number of times the word w occurs in the training texts, and v(w) its vector, a piece
starts from

    v(w)                             if the piece begins with a space and spells the whole word w;
                                     in a script without spaces, if the piece is a word w
    sum c(w) v(w) / sum c(w)         otherwise, over the words that the piece is a part of

and keeps its initial values if there is no such word. `textrnn.text.word_segmentation` says what
the words are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from textrnn.errors import ConfigError, DataError
from textrnn.runtime.text.scripts import UNSPACED
from textrnn.text.tokenizer import Tokenizer
from textrnn.text.word_segmentation import (
    SPACE,
    Token,
    candidate_words,
    count_tokens,
    token_words,
)
from textrnn.text.word_vector_files import read_vectors

__all__ = ["PretrainedEmbeddings", "pretrained_embeddings"]

_NO_WORD = "\ue000"
"""A character of no language, which has no vector."""


class PretrainedEmbeddings(NamedTuple):
    """The initial values of an embedding.

    Attributes:
        values: The embedding matrix, `[V, E]`.
        vector_size: D, the size of the word vectors.
        coverage: The share of the words of the training texts that have a vector; each word counts
            as often as it occurs.
        initialized: The number of pieces that start from vectors.
    """

    values: np.ndarray
    vector_size: int
    coverage: float
    initialized: int


def pretrained_embeddings(
    source: str, tokenizer: Tokenizer, *, texts: Iterable[np.ndarray], table: np.ndarray
) -> PretrainedEmbeddings:
    """Returns the values that an embedding starts from.

    All vectors are scaled by one factor to the root mean square of the table. If D < E, they fill
    the first D columns, and the other columns keep their values. If D > E, they are projected to
    their first E principal components, which are not centred, so that the products of vectors
    change as little as possible.

    Args:
        source: The path of a file of word vectors, or the name of a package of them.
        tokenizer: The tokenizer of the model.
        texts: The ids of each training text, `[T]`.
        table: The embedding matrix without vectors, `[V, E]`.

    Raises:
        DataError: The file cannot be read, or has no word of the texts.
        ConfigError: The tokenizer's pieces are not parts of words.
    """
    pieces = _spellings(tokenizer)
    tokens = count_tokens(texts, pieces)
    vectors, size = read_vectors(source, candidate_words(tokens, pieces))
    means = _mean_vectors(tokens, pieces, vectors, size=size)
    rows = np.flatnonzero(means.counts)
    if not len(rows):
        raise DataError(
            f"{source}: expected vectors of words of the training texts, got none; take vectors of "
            "their language."
        )
    values = means.sums[rows] / means.counts[rows, np.newaxis]  # [rows, D]
    if size > table.shape[1]:
        _, _, axes = np.linalg.svd(values, full_matrices=False)
        values = values @ axes[: table.shape[1]].T  # [rows, E]
    scale = np.sqrt(np.mean(np.square(table)) / max(np.mean(np.square(values)), 1e-30))
    filled = table.copy()
    filled[rows, : values.shape[1]] = scale * values
    return PretrainedEmbeddings(filled, size, means.coverage, len(rows))


class _MeanVectors(NamedTuple):
    """The numerator `[V, D]` and denominator `[V]` of each piece's mean, and the coverage."""

    sums: np.ndarray
    counts: np.ndarray
    coverage: float


def _spellings(tokenizer: Tokenizer) -> list[str]:
    """Returns the spelling of each id; those of padding and of the unknown piece are no words."""
    pieces = [tokenizer.id_to_piece(id) for id in range(tokenizer.vocab_size)]
    if not any(piece.startswith(SPACE) for piece in pieces):
        raise ConfigError(
            "`vectors` need pieces of words, got byte pieces; choose another `piece_type`."
        )
    pieces[tokenizer.PAD] = pieces[tokenizer.UNK] = _NO_WORD
    return pieces


def _mean_vectors(
    tokens: Mapping[Token, int],
    pieces: Sequence[str],
    vectors: Mapping[str, np.ndarray],
    *,
    size: int,
) -> _MeanVectors:
    """Sums, for each piece, the vectors of the words that it starts from."""
    sums, counts = np.zeros([len(pieces), size]), np.zeros(len(pieces))
    total = covered = 0
    max_length = max((len(word) for word in vectors if UNSPACED.match(word)), default=1)
    for token, count in tokens.items():
        words = list(token_words(token, pieces, vectors, max_length=max_length))
        total += count * max(len(words), 1)
        for word, ids in words:
            if word in vectors:
                covered += count
                sums[ids] += count * vectors[word]
                counts[ids] += count
    for id, piece in enumerate(pieces):
        word = piece.removeprefix(SPACE)
        if (piece != word or UNSPACED.search(piece)) and word in vectors:
            sums[id], counts[id] = vectors[word], 1.0
    return _MeanVectors(sums, counts, covered / max(total, 1))
