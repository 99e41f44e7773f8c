"""The wrong answers of a classifier, the surest first, and the texts that it is unsure about."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from textrnn.analysis.report.answered_texts import AnsweredTexts
from textrnn.messages.wording import counted

__all__ = ["MOST_ROWS", "Doubts", "WrongAnswer", "find_doubts", "wrong_answers"]

MOST_ROWS = 1000
"""The largest number of wrong answers on the page."""
MOST_CHARACTERS = 300
"""The number of characters of a text that the page shows."""
UNSURE_BELOW = 0.6
"""A classifier is unsure about an answer with a lower probability."""


@dataclass(frozen=True)
class WrongAnswer:
    """A text that was answered wrongly.

    Attributes:
        true: The labels of the text.
        predicted: The predicted labels.
        confidence: The probability of the answer.
        text: The text, or its beginning.
    """

    true: tuple[str, ...]
    predicted: tuple[str, ...]
    confidence: float
    text: str


@dataclass(frozen=True)
class Doubts:
    """The texts that a classifier is unsure about.

    Attributes:
        texts: The number of texts with an answer below `UNSURE_BELOW`.
        of: The number of all texts.
        right: The number of the unsure answers that are right.
        pair: The two labels that are most often the most probable ones of these texts; None in a
            multi-label run, and without such texts.
        pair_texts: The number of the unsure texts between these two labels.
    """

    texts: int
    of: int
    right: int
    pair: tuple[str, str] | None
    pair_texts: int

    @property
    def sentence(self) -> str:
        """A sentence about these texts."""
        begin = f"{counted(self.texts, 'text')} of {self.of:,}"
        verb = "has" if self.texts == 1 else "have"
        answers = f"{begin} {verb} an answer with a probability below {100 * UNSURE_BELOW:.0f} %"
        if not self.texts:
            return f"{answers}."
        answers += f"; {self.right:,} of these answers {'is' if self.right == 1 else 'are'} right."
        if self.pair is None:
            return answers
        first, second = self.pair
        return f"{answers} Most often it wavers between {first} and {second} ({self.pair_texts:,})."

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, ready for JSON."""
        pair = None if self.pair is None else list(self.pair)
        return {"texts": self.texts, "right": self.right, "pair": pair, "in_pair": self.pair_texts}


def wrong_answers(answered: AnsweredTexts, *, most: int = MOST_ROWS) -> tuple[WrongAnswer, ...]:
    """Returns the wrong answers with the highest probabilities, highest first.

    Args:
        answered: The texts and the answers.
        most: The largest number of wrong answers.
    """
    labels, split = answered.classifier.labels, answered.split
    confidence = answered.label_space.answer_probabilities(answered.probabilities)
    wrong = np.flatnonzero(~answered.right)
    order = wrong[np.argsort(-confidence[wrong], kind="stable")][:most]
    return tuple(
        WrongAnswer(
            true=tuple(split.labels[row]),
            predicted=tuple(labels[i] for i in np.flatnonzero(answered.predicted[row])),
            confidence=float(confidence[row]),
            text=_beginning(split.texts[row]),
        )
        for row in order
    )


def _beginning(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS].rstrip()}\u2026"


def find_doubts(answered: AnsweredTexts) -> Doubts:
    """Returns the figures of the texts that the classifier is unsure about."""
    labels = answered.classifier.labels
    confidence = answered.label_space.answer_probabilities(answered.probabilities)
    unsure = confidence < UNSURE_BELOW
    pair, pair_texts = None, 0
    if unsure.any() and not answered.label_space.multi_label and len(labels) > 1:
        top_two = np.argsort(-answered.probabilities[unsure], axis=1, kind="stable")[:, :2]
        pairs = Counter((int(min(row)), int(max(row))) for row in top_two)
        ((first, second), pair_texts), *_ = pairs.most_common(1)
        pair = labels[first], labels[second]
    return Doubts(
        texts=int(unsure.sum()),
        of=len(unsure),
        right=int((answered.right & unsure).sum()),
        pair=pair,
        pair_texts=pair_texts,
    )
