"""Merges tokens into words, each with its score and its place in the text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .scripts import UNSPACED

__all__ = ["Word", "merge_words", "word_groups"]

_BLANK = r"(?:\s|<br\s*/?>)*"  # What the tokenizer treats as white space.
_SEEN = re.compile(rf"(?is){_BLANK}(.*?){_BLANK}")

Span = tuple[int, int]


@dataclass(frozen=True)
class Word:
    """A word, or a punctuation mark, of a text.

    Attributes:
        text: The characters of the word as they are in the text.
        start: The place of its first character in the text.
        end: The place after its last character.
        score: The sum of the scores of its tokens.
        first: The place of its first token.
        stop: The place after its last token.
    """

    text: str
    start: int
    end: int
    score: float
    first: int
    stop: int

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, ready for JSON."""
        return {"text": self.text, "start": self.start, "end": self.end, "score": self.score}


def word_groups(text: str, spans: Sequence[Span]) -> list[Span]:
    """Returns the tokens of each word: the place of the first, and the place after the last.

    A word ends before white space. It also ends between two tokens unless both have a letter or a
    digit where they touch, so that a full stop is a word of its own if the tokens allow it. In a
    script without spaces between words, such as Chinese and Thai, each token is a word. A vowel
    sign or an accent belongs to the letter before it, a part of a character to the rest of the
    character, and white space to the word before it.

    >>> word_groups("no, no", [(0, 2), (2, 3), (4, 6)])
    [(0, 1), (1, 2), (2, 3)]

    Args:
        text: The text.
        spans: The characters of each token, from `Tokenizer.spans`.
    """
    groups: list[Span] = []
    end, begun = 0, False  # The end of the word so far, and whether it has a visible character.
    parts = 0  # Preceding tokens that are parts of a character of a later token.
    for i, (start, stop) in enumerate(spans):
        if start == stop:
            parts += 1
            continue
        first, parts = i - parts, 0
        seen = _trim(text, (start, stop))
        if groups and begun and seen is not None and _separates(text, end, seen[0]):
            groups.append((first, i + 1))
        elif groups:
            groups[-1] = (groups[-1][0], i + 1)
        else:
            groups.append((first, i + 1))
        if seen is not None:
            begun, end = True, seen[1]
    if parts:
        groups = [*groups[:-1], (groups[-1][0] if groups else 0, len(spans))]
    return groups


def merge_words(
    text: str, spans: Sequence[Span], *, groups: Sequence[Span], scores: np.ndarray
) -> tuple[Word, ...]:
    """Returns the words, each with the sum of the scores of its tokens.

    Args:
        text: The text.
        spans: The characters of each token.
        groups: The tokens of each word, from `word_groups`.
        scores: The score of each token, `[T]`.
    """
    words = []
    for first, stop in groups:
        inside = (spans[first][0], max(end for _, end in spans[first:stop]))
        start, end = _trim(text, inside) or inside
        score = float(np.sum(scores[first:stop], dtype=np.float64))
        words.append(Word(text[start:end], start, end, score, first, stop))
    return tuple(words)


def _trim(text: str, span: Span) -> Span | None:
    """Returns the span without the white space around it; None if nothing remains."""
    match = _SEEN.fullmatch(text, *span)
    return match.span(1) if match is not None and match[1] else None


def _separates(text: str, end: int, start: int) -> bool:
    """Returns whether a word ends at `end`, before the token that begins at `start`."""
    if start > end:
        return True
    before, after = text[end - 1], text[start]
    return not (_is_mark(after) or (_joins(before) and _joins(after)))


def _joins(character: str) -> bool:
    """Returns whether a character is a letter, digit or accent of a script with spaces."""
    if UNSPACED.match(character):
        return False
    return character.isalnum() or _is_mark(character)


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")
