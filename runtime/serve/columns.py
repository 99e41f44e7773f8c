"""The answers to the texts of a request as columns, named as the outputs of the SavedModel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .model import Answer

__all__ = ["OUTPUTS", "Columns", "rounded"]

OUTPUTS = ("label", "score", "labels", "scores", "decided")
"""The names of the outputs of the signature `serving_default`."""

_DIGITS = 6


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


def rounded(values: np.ndarray) -> list[list[float]]:
    """Returns float32 numbers as TF Serving writes them, with six significant digits.

    >>> rounded(np.array([[0.97995412, 0.00522789321]], np.float32))
    [[0.979954, 0.00522789]]

    Args:
        values: `[N, K]`.
    """
    exact = values.astype(np.float64)
    size = np.where(exact == 0, 1.0, np.abs(exact))
    # A whole number divided by a power of ten is the float of these digits.
    scale = 10.0 ** np.clip(_DIGITS - 1 - np.floor(np.log10(size)), 0, 22)
    result: list[list[float]] = (np.round(exact * scale) / scale).tolist()
    return result
