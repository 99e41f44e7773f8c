"""What each word, token and n-gram of one text contributes to a label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .text.encoder import SPACE
from .text.words import Word

__all__ = ["Attribution", "Explanation", "NGramScore", "token_shares"]


class NGramScore(NamedTuple):
    """The contribution of one n-gram of a text.

    Attributes:
        first: The place of its first token.
        stop: The place after its last token.
        score: The contribution to the logit, `w / sqrt(T)`.
    """

    first: int
    stop: int
    score: float


def token_shares(scores: Sequence[NGramScore], steps: int) -> np.ndarray:
    """Returns the contribution of each of T tokens, `[T]`: the tokens of an n-gram share it."""
    shares = np.zeros(steps)
    for first, stop, score in scores:
        shares[first:stop] += score / (stop - first)
    return shares


@dataclass(frozen=True)
class Attribution:
    """The contribution of each word of a text to one label.

    Attributes:
        method: One of `textrnn.config.choices.ATTRIBUTIONS`.
        label: The label that is explained.
        probability: The probability of the label.
        predicted: The most probable label.
        scores: The probability of each label.
        text: The text.
        words: The words in the order of the text. The characters between them are white space.
        pieces: The T tokens; U+2581 stands for a space.
        piece_scores: `[T]`, in logits. For the method `head` they are the weights of the pooling
            head, which sum to 1.
        logit: The label's logit.
        offset: The part of the logit that the scores do not include; see
            `textrnn.analysis.attribution.methods.PieceScores`.
        completeness_error: The relative error of the sum of the scores; see
            `textrnn.analysis.attribution.methods.PieceScores`.
        warning: A sentence about a limitation of the scores; None if there is none.
        ngrams: The contributions of n-grams to the logit, which the scores of their words include;
            the places are those of `pieces`. Empty for a model without n-grams.
    """

    method: str
    label: str
    probability: float
    predicted: str
    scores: Mapping[str, float]
    text: str
    words: tuple[Word, ...]
    pieces: tuple[str, ...]
    piece_scores: np.ndarray
    logit: float
    offset: float | None
    completeness_error: float | None
    warning: str | None
    ngrams: tuple[NGramScore, ...]

    @property
    def signed(self) -> bool:
        """Returns whether a score can be negative, that is, be evidence against the label."""
        return self.method != "head"

    def strengths(self) -> list[float]:
        """Returns the score of each word relative to the strongest word, from -1 to 1."""
        most = max((abs(word.score) for word in self.words), default=0.0)
        return [word.score / most if most else 0.0 for word in self.words]

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, ready for JSON."""
        return {
            "method": self.method,
            "label": self.label,
            "probability": self.probability,
            "predicted": self.predicted,
            "scores": dict(self.scores),
            "text": self.text,
            "words": [word.to_dict() for word in self.words],
            "pieces": list(self.pieces),
            "piece_scores": [float(score) for score in self.piece_scores],
            "logit": self.logit,
            "offset": self.offset,
            "completeness_error": self.completeness_error,
            "warning": self.warning,
            "ngrams": [
                {"text": self.ngram_text(ngram), **ngram._asdict()} for ngram in self.ngrams
            ],
        }

    def ngram_text(self, ngram: NGramScore) -> str:
        """Returns the tokens of an n-gram as a text."""
        return "".join(self.pieces[ngram.first : ngram.stop]).replace(SPACE, " ").strip()


@dataclass(frozen=True)
class Explanation(Attribution):
    """An attribution, and how the probability of its label develops from word to word.

    Attributes:
        running: The probability of the label after each word; None if the model needs the whole
            text at once.
    """

    running: tuple[float, ...] | None

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, ready for JSON."""
        running = None if self.running is None else list(self.running)
        return {**super().to_dict(), "running": running}
