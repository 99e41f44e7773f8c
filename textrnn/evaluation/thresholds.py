"""The threshold of one label: every place where the decisions change is tried."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from textrnn.config.decisions import Objective

__all__ = ["Sweep", "cuts"]


def cuts(scores: np.ndarray, *, ends: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Returns the thresholds that lead to different decisions, and the texts above each.

    >>> cuts(np.array([0.2, 0.6, 0.6]), ends=(0.0, 1.0))
    (array([1. , 0.4, 0. ]), array([0, 2, 3]))

    Args:
        scores: `[N]` in descending or any order; a text is chosen if its score reaches the
            threshold.
        ends: The threshold that all scores reach, and one that none reaches.

    Returns:
        The thresholds `[K]`, descending, midway between scores, and the number `[K]` of texts that
        each of them chooses.
    """
    distinct, counts = np.unique(-np.asarray(scores, np.float64), return_counts=True)
    distinct = -distinct
    between = (distinct[:-1] + distinct[1:]) / 2
    # Decisions compare in float32, where the middle of two scores may be the lower one.
    upper, lower = distinct[:-1].astype(np.float32), distinct[1:].astype(np.float32)
    rounded = between.astype(np.float32)
    between = np.where((rounded > lower) & (rounded <= upper), between, distinct[:-1])
    thresholds = np.concatenate([[ends[1]], between, [ends[0]]])
    return thresholds, np.concatenate([[0], np.cumsum(counts)])


@dataclass(frozen=True)
class Sweep:
    """The decisions about one label at all thresholds.

    >>> sweep = Sweep.of(np.array([0.9, 0.4, 0.3]), np.array([True, True, False]), (0.0, 1.0))
    >>> round(float(sweep.thresholds[sweep.best(Objective("macro-f1"), near=0.5)]), 2)
    0.35

    Attributes:
        thresholds: `[K]`, descending.
        chosen: `[K]`, the number of texts that get the label.
        right: `[K]`, the number of these that have it.
        positives: The number of texts that have the label.
    """

    thresholds: np.ndarray
    chosen: np.ndarray
    right: np.ndarray
    positives: int

    @classmethod
    def of(cls, scores: np.ndarray, positive: np.ndarray, ends: tuple[float, float]) -> Sweep:
        """Makes the sweep over the observed scores.

        Args:
            scores: `[N]`.
            positive: Whether each text has the label, `[N]` of bool.
            ends: See `cuts`.
        """
        thresholds, chosen = cuts(scores, ends=ends)
        order = np.argsort(-np.asarray(scores, np.float64), kind="stable")
        hits = np.concatenate([[0], np.cumsum(positive[order])])
        return cls(thresholds, chosen, hits[chosen], int(positive.sum()))

    @classmethod
    def of_probabilities(cls, probabilities: np.ndarray, positive: np.ndarray) -> Sweep:
        """Makes the sweep over probabilities `[N]`, with thresholds from 0 to about 1."""
        highest, lowest = float(probabilities.max()), float(probabilities.min())
        above = (1.0 + highest) / 2 if highest < 0.999999 else 1.000001
        return cls.of(probabilities, positive, (lowest / 2, above))

    @property
    def precision(self) -> np.ndarray:
        """The share of right decisions among the chosen texts `[K]`; 0 if none is chosen."""
        return np.asarray(self.right / np.maximum(self.chosen, 1))

    @property
    def recall(self) -> np.ndarray:
        """The share of the texts with the label that are chosen, `[K]`."""
        return np.asarray(self.right / max(self.positives, 1))

    @property
    def f1(self) -> np.ndarray:
        """The harmonic mean of precision and recall, `[K]`."""
        return np.asarray(2 * self.right / np.maximum(self.chosen + self.positives, 1))

    def best(self, objective: Objective, *, near: float) -> int:
        """Returns the place of the best threshold; of equally good ones, the nearest to `near`.

        If no threshold attains the level of the objective, it is the one that comes nearest to it.

        Args:
            objective: `macro-f1`, `precision` or `recall`.
            near: A threshold.
        """
        # Sorted by the last key first.
        keys: list[np.ndarray] = [-np.abs(self.thresholds - near)]
        if objective.name == "precision":
            keys += [self.recall, self.precision, self.attained(objective)]
        elif objective.name == "recall":
            attained = self.attained(objective)
            keys += [self.recall, np.where(attained, self.recall, self.precision), attained]
        else:
            keys.append(self.f1)
        return int(np.lexsort(keys)[-1])

    def attained(self, objective: Objective) -> np.ndarray:
        """Returns whether each threshold attains the level of the objective, `[K]` of bool."""
        level = objective.level or 0.0
        figure = self.recall if objective.name == "precision" else self.precision
        return np.asarray(figure >= level - 1e-12)
