"""How surprising each word of a text is to a language model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .likelihood import Likelihood
from .text.words import merge_words, word_groups

__all__ = ["Surprise", "WordSurprise", "surprise_of"]


@dataclass(frozen=True)
class WordSurprise:
    """One word of a text.

    Attributes:
        text: The word.
        start: The place of its first character in the text.
        end: The place after its last character.
        bits: The sum of `-log2 p` over its tokens, each given the tokens before it.
    """

    text: str
    start: int
    end: int
    bits: float

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, ready for JSON."""
        return {"word": self.text, "start": self.start, "end": self.end, "bits": self.bits}


@dataclass(frozen=True)
class Surprise:
    """How surprising a text is to a language model.

    Attributes:
        likelihood: The likelihood of the text.
        words: The words, in the order of the text.
        unusual: Whether the text has more bits per token than 99 of 100 texts that were held out of
            the training of the language model; None if that was not measured.
    """

    likelihood: Likelihood
    words: tuple[WordSurprise, ...]
    unusual: bool | None

    @property
    def bits(self) -> float:
        """`-log2 p(x)`, which is the sum over all words and the end of the text."""
        return -self.likelihood.log_likelihood / math.log(2.0)

    @property
    def end_bits(self) -> float:
        """The bits of the end of the text."""
        return -float(self.likelihood.log_probabilities[-1]) / math.log(2.0)

    @property
    def bits_per_word(self) -> float | None:
        """The bits of all words by their number, without the end; None for a text of no words."""
        if not self.words:
            return None
        return sum(word.bits for word in self.words) / len(self.words)

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, ready for JSON."""
        return {
            **self.likelihood.to_dict(),
            "bits": self.bits,
            "bits_per_word": self.bits_per_word,
            "unusual": self.unusual,
            "words": [word.to_dict() for word in self.words],
            "end_bits": self.end_bits,
        }


def surprise_of(
    likelihood: Likelihood,
    text: str,
    *,
    spans: Sequence[tuple[int, int]],
    unusual_bits_per_token: float | None,
) -> Surprise:
    """Returns the surprise of the words of a text, given the likelihood of its tokens.

    Args:
        likelihood: The likelihood.
        text: The text.
        spans: The characters of each token.
        unusual_bits_per_token: The bits per token above which a text is unusual; None: unknown.
    """
    bits = likelihood.log_probabilities[:-1] / -math.log(2.0)
    words = merge_words(text, spans, groups=word_groups(text, spans), scores=bits)
    limit = unusual_bits_per_token
    return Surprise(
        likelihood,
        tuple(WordSurprise(word.text, word.start, word.end, word.score) for word in words),
        None if limit is None else likelihood.bits_per_token > limit,
    )
