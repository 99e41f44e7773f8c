"""What word vectors mean for pieces of words, so that a model's embeddings may start from them.

The words of the training texts are what stands between spaces, if that has a vector, else its runs
of letters and digits, its single signs, and the endings that GloVe knows ("'s", "n't"). In a script
that puts no spaces between words they are, from the left, the longest words that have a vector and
are a piece, up to three neighbouring pieces, or a part of a piece. With c(w) how often the word w
stands in the training texts, and v(w) its vector, a piece starts from

    v(w)                             if the piece is the beginning and the whole of a word w; in a
                                     script without spaces, if it is a word w
    sum c(w) v(w) / sum c(w)         else, over the words in whose place it stands

and from what it had where there is no such word.
"""

from __future__ import annotations

import bisect
import collections
import itertools
import re
from collections.abc import Container, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from textrnn.errors import ConfigError, DataError
from textrnn.text.scripts import UNSPACED
from textrnn.text.tokenizer import Tokenizer
from textrnn.text.word_vector_files import read_vectors

__all__ = ["VectorTable", "vector_table"]

_SPACE = "\u2581"
_NO_WORD = "\ue000"  # Of no language.
# Runs of a script without spaces stand apart from others; a mark upon a letter belongs to it.
_RUN = re.compile(rf"(?:{UNSPACED.pattern})+|(?:(?!{UNSPACED.pattern}).)+", re.DOTALL)
_WORD = re.compile(r"n't\b|'\w+|\w+?(?=n't\b)|\w+|[^\w\s]")
_LONGEST = 24
"""Characters of a word in a script without spaces."""
_MOST_PIECES = 3
"""Neighbouring pieces that are one word of such a script."""


class VectorTable(NamedTuple):
    """An embedding's first values.

    Attributes:
        values: `[V, E]`.
        size: D, of the vectors.
        covered: The share of the words of the training texts, counted as often as they stand
            there, that have a vector.
        pieces: How many pieces start from vectors.
    """

    values: np.ndarray
    size: int
    covered: float
    pieces: int


def vector_table(
    source: str, tokenizer: Tokenizer, texts: Iterable[np.ndarray], *, table: np.ndarray
) -> VectorTable:
    """What an embedding starts from; see the module.

    The vectors are scaled together to the root mean square of the table. Where D < E they fill the
    first D columns, and the others stay as they are; where D > E they are brought to their first E
    principal components (not centred, so that products of vectors are kept as well as can be).

    Args:
        source: A file or a name.
        tokenizer: Makes the pieces.
        texts: The ids of each training text.
        table: `[V, E]`, what the embedding would start from without vectors.

    Raises:
        DataError: The file cannot be read, or has no word of the texts.
        ConfigError: The pieces are not those of words.
    """
    pieces = [tokenizer.id_to_piece(id) for id in range(tokenizer.vocab_size)]
    if not any(piece.startswith(_SPACE) for piece in pieces):
        raise ConfigError(
            "`vectors` need pieces of words, got byte pieces; choose another `piece_type`."
        )
    pieces[tokenizer.PAD] = pieces[tokenizer.UNK] = _NO_WORD
    tokens = _count_tokens(texts, pieces)
    wanted = {piece[1:] for piece in pieces if len(piece) > 1 and piece[0] == _SPACE}
    for piece in pieces:
        if UNSPACED.search(piece):
            wanted |= _substrings(piece.removeprefix(_SPACE))
    for token in tokens:
        text = _text(token, pieces)
        if UNSPACED.search(text):
            wanted |= _joined(token, pieces)
        wanted |= {text, *_WORD.findall(UNSPACED.sub(" ", text))}
    found, size = read_vectors(source, wanted)
    sums = np.zeros([len(pieces), size])
    counts = np.zeros(len(pieces))
    total = covered = 0
    longest = max((len(word) for word in found if UNSPACED.match(word)), default=1)
    for token, count in tokens.items():
        words = list(_words_of(token, pieces, found, longest=longest))
        total += count * max(len(words), 1)
        for word, parts in words:
            if word in found:
                covered += count
                sums[parts] += count * found[word]
                counts[parts] += count
    for id, piece in enumerate(pieces):
        text = piece.removeprefix(_SPACE)
        if (piece != text or UNSPACED.search(piece)) and text in found:
            sums[id], counts[id] = found[text], 1.0
    rows = np.flatnonzero(counts)
    if not len(rows):
        raise DataError(
            f"{source}: expected vectors of words of the training texts, got none; take vectors of "
            "their language."
        )
    values = sums[rows] / counts[rows, np.newaxis]
    if size > table.shape[1]:
        _, _, axes = np.linalg.svd(values, full_matrices=False)
        values = values @ axes[: table.shape[1]].T
    scale = np.sqrt(np.mean(np.square(table)) / max(np.mean(np.square(values)), 1e-30))
    filled = table.copy()
    filled[rows, : values.shape[1]] = scale * values
    return VectorTable(filled, size, covered / max(total, 1), len(rows))


def _count_tokens(texts: Iterable[np.ndarray], pieces: Sequence[str]) -> dict[tuple[int, ...], int]:
    """How often each run of ids from one space to the next stands in the texts."""
    begins = np.array([piece.startswith(_SPACE) for piece in pieces])
    counter: collections.Counter[bytes] = collections.Counter()
    for ids in texts:
        # Slices of bytes are counted much faster than tuples.
        content = np.asarray(ids, np.int32).tobytes()
        cuts = (4 * np.flatnonzero(begins[ids])).tolist()
        bounds = itertools.pairwise([0, *cuts, len(content)])
        counter.update(content[start:end] for start, end in bounds if start < end)
    return {tuple(np.frombuffer(key, np.int32).tolist()): n for key, n in counter.items()}


def _text(token: Sequence[int], pieces: Sequence[str]) -> str:
    return "".join(pieces[id] for id in token).replace(_SPACE, "")


def _words_of(
    token: Sequence[int], pieces: Sequence[str], found: Container[str], *, longest: int
) -> Iterator[tuple[str, list[int]]]:
    """The words of what stands between two spaces, each with the ids in whose place it stands.

    In a script without spaces a word has `longest` characters at the most.
    """
    text = _text(token, pieces)
    ends = list(itertools.accumulate(len(pieces[id].replace(_SPACE, "")) for id in token))
    starts = [0, *ends[:-1]]
    places = [(0, len(text))] if text in found else _word_places(text, found, longest=longest)
    for first, last in places:
        inside = slice(bisect.bisect_right(ends, first), bisect.bisect_left(starts, last))
        yield text[first:last], sorted(set(token[inside]))


def _word_places(text: str, found: Container[str], *, longest: int) -> Iterator[tuple[int, int]]:
    """Where the words of a text without spaces begin and end; see the module."""
    for run in _RUN.finditer(text):
        if not UNSPACED.match(run[0]):
            yield from (match.span() for match in _WORD.finditer(text, *run.span()))
            continue
        first, last = run.span()
        while first < last:
            ends = range(min(last, first + longest), first + 1, -1)
            end = next((end for end in ends if text[first:end] in found), first + 1)
            yield first, end
            first = end


def _substrings(piece: str) -> set[str]:
    return {piece[i:j] for i in range(len(piece)) for j in range(i + 1, len(piece) + 1)}


def _joined(token: Sequence[int], pieces: Sequence[str]) -> set[str]:
    """What up to three neighbouring pieces spell that are of a script without spaces."""
    parts = [pieces[id].removeprefix(_SPACE) for id in token]
    return {
        text
        for i in range(len(parts))
        for j in range(i + 2, min(i + _MOST_PIECES, len(parts)) + 1)
        if len(text := "".join(parts[i:j])) <= _LONGEST and UNSPACED.match(text)
    }
