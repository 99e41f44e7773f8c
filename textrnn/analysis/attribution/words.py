"""From the tokens' scores to those of the words, each with its place in the text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from textrnn.text.scripts import UNSPACED

__all__ = ["Word", "merge_words", "word_groups"]

_BLANK = r"(?:\s|<br\s*/?>)*"  # What the tokenizer takes for white space.
_SEEN = re.compile(rf"(?is){_BLANK}(.*?){_BLANK}")

Span = tuple[int, int]


@dataclass(frozen=True)
class Word:
    """A word, or a mark, of a text.

    Attributes:
        text: As it stands in the text.
        start: Its first character's place in the text.
        end: The place behind its last character.
        score: The sum of its tokens' scores.
        first: Its first token's place.
        stop: The place behind its last token.
    """

    text: str
    start: int
    end: int
    score: float
    first: int
    stop: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {"text": self.text, "start": self.start, "end": self.end, "score": self.score}


def word_groups(text: str, spans: Sequence[Span]) -> list[Span]:
    """Which tokens make a word: the first, and the place behind the last, of each.

    A word ends before white space, and between two tokens of which not both touch with letters or
    digits, so that a full stop stands alone where the tokens allow it. In a script that puts no
    spaces between words, as in Chinese and Thai, each token is a word. A vowel sign or an accent
    goes with the letter before it, part of a character with the rest of it, and white space with
    what stands before it.

    Args:
        text: The text.
        spans: Each token's characters, as `Tokenizer.spans` gives them.
    """
    groups: list[Span] = []
    end, begun = 0, False  # Of the word so far; whether it has a character that can be seen.
    parts = 0  # Tokens just before that are parts of a character which a later one has.
    for i, (start, stop) in enumerate(spans):
        if start == stop:
            parts += 1
            continue
        first, parts = i - parts, 0
        seen = _trim(text, (start, stop))
        if groups and begun and seen is not None and _parts(text, end, seen[0]):
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
    text: str, spans: Sequence[Span], groups: Sequence[Span], scores: np.ndarray
) -> tuple[Word, ...]:
    """The words with the sums of their tokens' scores.

    Args:
        text: The text.
        spans: Each token's characters.
        groups: Each word's tokens, from `word_groups`.
        scores: Each token's score, `[T]`.
    """
    words = []
    for first, stop in groups:
        inside = (spans[first][0], max(end for _, end in spans[first:stop]))
        start, end = _trim(text, inside) or inside
        score = float(np.sum(scores[first:stop], dtype=np.float64))
        words.append(Word(text[start:end], start, end, score, first, stop))
    return tuple(words)


def _trim(text: str, span: Span) -> Span | None:
    """The span without white space around it; None if there is nothing else."""
    found = _SEEN.fullmatch(text, *span)
    return found.span(1) if found is not None and found[1] else None


def _parts(text: str, end: int, start: int) -> bool:
    """Whether a word that ends at `end` is another than the one that begins at `start`."""
    if start > end:
        return True
    before, after = text[end - 1], text[start]
    return not (_is_mark(after) or (_joins(before) and _joins(after)))


def _joins(character: str) -> bool:
    """Whether a letter or digit, of a script with spaces, or a mark upon one."""
    if UNSPACED.match(character):
        return False
    return character.isalnum() or _is_mark(character)


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")
