"""The labels of a classifier, and the answers that probabilities of them mean."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .decision_rule import DecisionRule

__all__ = ["Labels"]


@dataclass(frozen=True)
class Labels:
    """The labels of a classifier, and the answers that probabilities of them mean.

    A single-label classifier has one distribution per text over all C labels. A multi-label
    classifier has C independent decisions per text.

    Attributes:
        labels: The C label names, in the order of the logits.
        multi_label: Whether a text may carry any number of labels.
        rule: What is answered, given the probabilities.

    >>> several = Labels(("bad", "good", "long"), multi_label=True)
    >>> several.decide(np.array([[0.1, 0.8, 0.5]])).tolist()
    [[False, True, True]]
    >>> single = Labels(("bad", "good", "long"), multi_label=False)
    >>> single.decide(np.array([[0.1, 0.8, 0.5]])).tolist()
    [[False, True, False]]
    """

    labels: tuple[str, ...]
    multi_label: bool
    rule: DecisionRule = field(default_factory=DecisionRule)

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", tuple(self.labels))

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Returns the probabilities `[N, C]` of float32 of logits `[N, C]`."""
        z = np.asarray(logits, np.float64)
        if self.multi_label:
            return np.asarray(0.5 + 0.5 * np.tanh(0.5 * z), np.float32)
        powers = np.exp(z - z.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)

    def decide(self, probabilities: np.ndarray) -> np.ndarray:
        """Returns the labels `[N, C]` of bool that the rule gives to texts.

        Answers that the rule withholds are included; `answered` says which they are.

        Args:
            probabilities: `[N, C]`.
        """
        if self.multi_label:
            return np.asarray(self.rule.exceeded(probabilities))
        decided = np.zeros(probabilities.shape, bool)
        decided[np.arange(len(decided)), self.best(probabilities)] = True
        return decided

    def best(self, probabilities: np.ndarray) -> np.ndarray:
        """Returns the place `[N]` of the label that is named if only one can be.

        It is the answer in a single-label space. In a multi-label space it is the most probable
        label of the answer, and the most probable label of all if the answer has none.

        Args:
            probabilities: `[N, C]`.
        """
        if self.multi_label:
            decided = np.asarray(self.rule.exceeded(probabilities))
            return np.asarray((probabilities + decided).argmax(axis=1))
        return np.asarray(self.rule.utilities(probabilities).argmax(axis=1))

    def answer_probabilities(self, probabilities: np.ndarray) -> np.ndarray:
        """Returns the probability `[N]` of each answer.

        It is that of the answered label. A multi-label answer has the probability of its least
        certain decision: the least of p for its labels and of 1 - p for the others.

        Args:
            probabilities: `[N, C]`.
        """
        if self.multi_label:
            decided = self.decide(probabilities)
            return np.asarray(np.where(decided, probabilities, 1 - probabilities).min(axis=1))
        return np.asarray(probabilities[np.arange(len(probabilities)), self.best(probabilities)])

    def answered(self, probabilities: np.ndarray) -> np.ndarray:
        """Returns whether each text gets an answer, `[N]` of bool; see `DecisionRule`.

        Args:
            probabilities: `[N, C]`.
        """
        return self.answer_probabilities(probabilities) >= np.float32(self.rule.abstain_below)
