"""The words of the training texts, and the pieces that stand for each of them.

A *token* is the sequence of ids from one space to the next. It is one word if it has a vector.
Otherwise its words are its runs of letters and digits, its single signs, and the endings that GloVe
knows ("'s", "n't").

In a script without spaces between words, the words of a token are, from left to right, the longest
words that have a vector and are either a piece, a part of a piece, or two or three neighbouring
pieces.
"""

from __future__ import annotations

import bisect
import collections
import itertools
import re
from collections.abc import Container, Iterable, Iterator, Sequence

import numpy as np

from textrnn.runtime.text.encoder import SPACE
from textrnn.runtime.text.scripts import UNSPACED

__all__ = ["SPACE", "Token", "candidate_words", "count_tokens", "token_words"]

Token = tuple[int, ...]

# Text of a script without spaces, or of other scripts; a mark on a letter belongs to its letter.
_SCRIPT_RUN = re.compile(rf"(?:{UNSPACED.pattern})+|(?:(?!{UNSPACED.pattern}).)+", re.DOTALL)
_WORD = re.compile(r"n't\b|'\w+|\w+?(?=n't\b)|\w+|[^\w\s]")
_MOST_CHARS = 24
"""Characters of a word of several pieces, in a script without spaces."""
_MOST_PIECES = 3
"""Neighbouring pieces that together may be a word of such a script."""


def count_tokens(texts: Iterable[np.ndarray], pieces: Sequence[str]) -> dict[Token, int]:
    """Counts how often each token occurs in the texts.

    Args:
        texts: The ids of each text, `[T]`.
        pieces: The spelling of each id.
    """
    begins = np.array([piece.startswith(SPACE) for piece in pieces])
    counter: collections.Counter[bytes] = collections.Counter()
    for ids in texts:
        # Counting slices of bytes is much faster than counting tuples.
        content = np.asarray(ids, np.int32).tobytes()
        cuts = (4 * np.flatnonzero(begins[ids])).tolist()
        bounds = itertools.pairwise([0, *cuts, len(content)])
        counter.update(content[start:end] for start, end in bounds if start < end)
    return {tuple(np.frombuffer(key, np.int32).tolist()): n for key, n in counter.items()}


def candidate_words(tokens: Iterable[Token], pieces: Sequence[str]) -> set[str]:
    """Returns every word whose vector may be needed, for the pieces and for the tokens."""
    candidates = {piece[1:] for piece in pieces if len(piece) > 1 and piece[0] == SPACE}
    for piece in pieces:
        if UNSPACED.search(piece):
            candidates |= _substrings(piece.removeprefix(SPACE))
    for token in tokens:
        text = _spelling(token, pieces)
        if UNSPACED.search(text):
            candidates |= _joined_pieces(token, pieces)
        candidates |= {text, *_WORD.findall(UNSPACED.sub(" ", text))}
    return candidates


def token_words(
    token: Token, pieces: Sequence[str], known: Container[str], *, max_length: int
) -> Iterator[tuple[str, list[int]]]:
    """Yields each word of a token with the ids of the pieces that stand for it.

    Args:
        token: The token.
        pieces: The spelling of each id.
        known: The words with a vector.
        max_length: Characters of the longest known word in a script without spaces.
    """
    text = _spelling(token, pieces)
    ends = list(itertools.accumulate(len(pieces[id].replace(SPACE, "")) for id in token))
    starts = [0, *ends[:-1]]
    spans = [(0, len(text))] if text in known else _word_spans(text, known, max_length=max_length)
    for start, end in spans:
        covering = slice(bisect.bisect_right(ends, start), bisect.bisect_left(starts, end))
        yield text[start:end], sorted(set(token[covering]))


def _spelling(token: Token, pieces: Sequence[str]) -> str:
    return "".join(pieces[id] for id in token).replace(SPACE, "")


def _word_spans(text: str, known: Container[str], *, max_length: int) -> Iterator[tuple[int, int]]:
    """Yields the first character of each word, and the one after it."""
    for run in _SCRIPT_RUN.finditer(text):
        if not UNSPACED.match(run[0]):
            yield from (match.span() for match in _WORD.finditer(text, *run.span()))
            continue
        start, run_end = run.span()
        while start < run_end:
            ends = range(min(run_end, start + max_length), start + 1, -1)
            end = next((end for end in ends if text[start:end] in known), start + 1)
            yield start, end
            start = end


def _substrings(piece: str) -> set[str]:
    return {piece[i:j] for i in range(len(piece)) for j in range(i + 1, len(piece) + 1)}


def _joined_pieces(token: Token, pieces: Sequence[str]) -> set[str]:
    """Returns what two or three neighbouring pieces of an unspaced script spell together."""
    parts = [pieces[id].removeprefix(SPACE) for id in token]
    return {
        text
        for i in range(len(parts))
        for j in range(i + 2, min(i + _MOST_PIECES, len(parts)) + 1)
        if len(text := "".join(parts[i:j])) <= _MOST_CHARS and UNSPACED.match(text)
    }
