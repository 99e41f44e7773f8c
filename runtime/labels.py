"""The labels of a classifier, and the answers that probabilities of them mean."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .decision_rule import DecisionRule

__all__ = ["Labels"]

_LEAST = 1e-12
"""The least probability by which is divided."""


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
        limit = np.float32(self.rule.abstain_below)
        return np.asarray(self.answer_probabilities(probabilities) >= limit)

    def outcome_probabilities(self, probabilities: np.ndarray) -> np.ndarray:
        """Returns the probability `[N, D, K]` of each of the K outcomes of each of D decisions.

        A single-label space has one decision among K = C labels. A multi-label space has D = C
        decisions, whether the text carries the label or not, K = 2. Where the label has a threshold
        t, its odds are divided by those of t, `q = p (1 - t) / (p (1 - t) + (1 - p) t)`, so that
        q = 0.5 at the threshold.

        Args:
            probabilities: `[N, C]`.
        """
        if not self.multi_label:
            return probabilities[:, np.newaxis]
        p = probabilities
        if self.rule.thresholds:
            t = np.clip(np.asarray(self.rule.thresholds, p.dtype), _LEAST, 1.0 - _LEAST)
            p = p * (1.0 - t) / np.maximum(p * (1.0 - t) + (1.0 - p) * t, _LEAST)
        return np.stack([1.0 - p, p], axis=-1)
