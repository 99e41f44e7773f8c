"""The prediction for one text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from .labels import Labels

__all__ = ["Answer", "Prediction"]

P = TypeVar("P", bound="Prediction")


@dataclass(frozen=True)
class Prediction:
    """The prediction for one text.

    >>> prediction = Prediction("pos", 0.9, {"neg": 0.1, "pos": 0.9}, ("pos",))
    >>> prediction.to_dict()["label"]
    'pos'

    Attributes:
        label: The predicted label. If `labels` has several, the most probable of them; if it has
            none, the label that is nearest to being predicted.
        score: The probability of this label.
        scores: The probability of each label.
        labels: The predicted labels, most probable first: `(label,)`, or for a multi-label model
            any number of labels; none if the model abstained.
        abstained: Whether the answer was withheld, because its probability is too low.
    """

    label: str
    score: float
    scores: dict[str, float]
    labels: tuple[str, ...]
    abstained: bool = False

    @classmethod
    def of(cls: type[P], scores: np.ndarray, label_space: Labels, **figures: int) -> P:
        """Returns the prediction that the probabilities `[C]` of one text mean.

        Args:
            scores: The probabilities.
            label_space: The labels and the rule that decides.
            **figures: Further attributes of the class.
        """
        several = {name: [figure] for name, figure in figures.items()}
        return cls.of_each(scores[np.newaxis], label_space, **several)[0]

    @classmethod
    def of_each(
        cls: type[P], scores: np.ndarray, label_space: Labels, **figures: Sequence[int]
    ) -> list[P]:
        """Returns the predictions that the probabilities `[N, C]` of N texts mean.

        Args:
            scores: The probabilities.
            label_space: The labels and the rule that decides.
            **figures: Further attributes of the class, one value for each text.
        """
        names = label_space.labels
        order = np.argsort(-scores, axis=1, kind="stable").tolist()
        decided, answered = label_space.decide(scores).tolist(), label_space.answered(scores)
        best, rows = label_space.best(scores).tolist(), scores.tolist()
        further = [
            dict(zip(figures, values, strict=True))
            for values in zip(*figures.values(), strict=True)
        ]
        return [
            cls(
                label=names[best[n]],
                score=row[best[n]],
                scores=dict(zip(names, row, strict=True)),
                labels=tuple(names[i] for i in order[n] if decided[n][i]) if answers else (),
                abstained=not answers,
                **(further[n] if further else {}),
            )
            for n, (row, answers) in enumerate(zip(rows, answered.tolist(), strict=True))
        ]

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, ready for JSON.

        `label` is None if no label is predicted; `reason` is `abstained` if the answer was
        withheld.
        """
        return {
            "label": self.label if self.labels else None,
            "score": self.score,
            "labels": list(self.labels),
            "scores": self.scores,
            **({"reason": "abstained"} if self.abstained else {}),
        }


@dataclass(frozen=True)
class Answer(Prediction):
    """The prediction for one text, and the number of its tokens.

    >>> Answer("pos", 0.9, {"neg": 0.1, "pos": 0.9}, ("pos",), tokens=7).tokens
    7

    Attributes:
        tokens: The number of tokens that were read.
        cut_tokens: The number of further tokens, which the `max_length` of the run cut off.
    """

    tokens: int = 0
    cut_tokens: int = 0
