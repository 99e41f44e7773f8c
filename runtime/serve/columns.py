"""The answers to the texts of a request as columns, named as the outputs of the SavedModel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .model import Answer

__all__ = ["OUTPUTS", "Columns"]

OUTPUTS = ("label", "score", "labels", "scores", "decided")
"""The names of the outputs of the signature `serving_default`."""


@dataclass(frozen=True)
class Columns:
    """The answers to N texts, of C labels.

    Attributes:
        label: The answer to each text; empty if it was withheld. `[N]`
        score: The probability of the answer. `[N]`, float32
        labels: The labels of the model. `[C]`
        scores: The probabilities of the labels. `[N, C]`, float32
        decided: Which of the labels each text gets. `[N, C]`, bool
    """

    label: list[str]
    score: np.ndarray
    labels: list[str]
    scores: np.ndarray
    decided: np.ndarray

    @classmethod
    def of(cls, answers: Sequence[Answer], labels: Sequence[str]) -> Columns:
        """Returns the columns of some answers.

        Args:
            answers: The answers.
            labels: The labels of the model.
        """
        places = {label: place for place, label in enumerate(labels)}
        shape = (len(answers), len(labels))
        scores, decided = np.zeros(shape, np.float32), np.zeros(shape, bool)
        for row, answer in enumerate(answers):
            scores[row] = [answer.scores[label] for label in labels]
            if not answer.abstained:
                decided[row, [places[label] for label in answer.labels]] = True
        return cls(
            ["" if answer.abstained else answer.label for answer in answers],
            np.array([answer.score for answer in answers], np.float32),
            list(labels),
            scores,
            decided,
        )
