"""The accuracy of the answers that remain if uncertain ones are withheld."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from textrnn.models.label_space import LabelSpace

__all__ = ["CoveragePoint", "abstention_figures", "coverage_curve", "coverage_sentence"]

SHARES = tuple(share / 100 for share in range(5, 101, 5))
"""The shares of answered texts at which the curve is drawn."""

NAMED_SHARE = 0.8
"""The share of answered texts that a sentence names beside all texts."""


@dataclass(frozen=True)
class CoveragePoint:
    """The accuracy of the most certain answers.

    Attributes:
        coverage: The share of the texts that are answered.
        accuracy: The share of right answers among these.
        abstain_below: The least probability of these answers.
    """

    coverage: float
    accuracy: float
    abstain_below: float

    def to_dict(self) -> dict[str, float]:
        """Returns plain values, ready for JSON."""
        return dataclasses.asdict(self)


def coverage_curve(confidence: np.ndarray, right: np.ndarray) -> tuple[CoveragePoint, ...]:
    """Returns the accuracy for each share of answered texts, from few texts to all.

    El-Yaniv and Wiener 2010, "On the Foundations of Noise-free Selective Classification".

    >>> points = coverage_curve(np.array([0.9, 0.6]), np.array([True, False]))
    >>> [(point.coverage, point.accuracy) for point in points]
    [(0.5, 1.0), (1.0, 0.5)]

    Args:
        confidence: The probability of each answer, `[N]`. Equal ones are withheld together.
        right: Whether each answer is right, `[N]` of bool.
    """
    order = np.argsort(-confidence, kind="stable")
    confidence, hits = confidence[order], np.cumsum(right[order])
    total, points = len(confidence), {}
    for share in SHARES:
        # All answers as certain as the last one of this share are answered.
        last = confidence[max(int(np.ceil(share * total - 1e-9)), 1) - 1] if total else 0.0
        answered = int((confidence >= last).sum())
        if answered:
            accuracy = float(hits[answered - 1]) / answered
            points[answered] = CoveragePoint(answered / total, accuracy, float(last))
    return tuple(points.values())


def abstention_figures(
    probabilities: np.ndarray, targets: np.ndarray, *, label_space: LabelSpace
) -> dict[str, Any]:
    """Returns the figures of withheld answers, as plain values ready for JSON.

    Args:
        probabilities: `[N, C]`.
        targets: `[N, C]` of 0 and 1.
        label_space: The labels and the rule.

    Returns:
        `coverage_curve`, the `CoveragePoint`s; if the rule withholds answers, also `abstention`:
        `abstain_below`, the `coverage`, and the `accuracy` of the answers (None without any).
    """
    confidence = label_space.answer_probabilities(probabilities)
    right = label_space.right_answers(probabilities, targets)
    figures: dict[str, Any] = {
        "coverage_curve": [point.to_dict() for point in coverage_curve(confidence, right)]
    }
    if label_space.rule.abstain_below:
        answered = label_space.answered(probabilities)
        figures["abstention"] = {
            "abstain_below": label_space.rule.abstain_below,
            "coverage": float(answered.mean()),
            "accuracy": float(right[answered].mean()) if answered.any() else None,
        }
    return figures


def coverage_sentence(points: Sequence[CoveragePoint | Mapping[str, float]]) -> str:
    """Returns a sentence about what is gained by withheld answers; empty without points.

    >>> coverage_sentence([CoveragePoint(0.8, 0.97, 0.7), CoveragePoint(1.0, 0.92, 0.3)])
    'It answers 80 % of the texts with 97.0 % right (least probability 0.70), all with 92.0 %.'
    """
    curve = [p if isinstance(p, CoveragePoint) else CoveragePoint(**p) for p in points]
    if not curve:
        return ""
    whole = curve[-1]
    part = min(curve, key=lambda point: abs(point.coverage - NAMED_SHARE))
    if part is whole:
        return f"It answers all texts with {_percent(whole.accuracy)} right."
    return (
        f"It answers {part.coverage:.0%} of the texts with ".replace("%", " %")
        + f"{_percent(part.accuracy)} right (least probability {part.abstain_below:.2f}), all with "
        + f"{_percent(whole.accuracy)}."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
