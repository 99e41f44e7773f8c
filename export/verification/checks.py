"""The checks that several export formats share.

The bounds:

    float32 files   the same label for every text, scores within 1e-5
    other files     scores within `LARGEST_DRIFT`, at most 0.5 points of accuracy lost
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from textrnn.export.manifest import Check
from textrnn.export.reference import Reference
from textrnn.models.label_space import LabelSpace

__all__ = [
    "LARGEST_DRIFT",
    "LARGEST_LOSS",
    "accuracy_check",
    "drift_check",
    "label_check",
    "none_check",
    "score_checks",
]

LARGEST_DRIFT = {
    "float32": 1e-5,
    "float16": 0.01,
    "dynamic_int8": 0.1,
    "int4": 0.2,
    "full_int8": 0.2,
}
"""The largest allowed difference between a probability and the classifier's, by precision."""

LARGEST_LOSS = 0.005
"""The accuracy that a quantised file may lose on the labelled texts of the verification."""


def drift_check(
    expected: np.ndarray,
    scores: np.ndarray,
    *,
    name: str = "drift",
    bound: float = LARGEST_DRIFT["float32"],
) -> Check:
    """Checks the largest difference between two arrays of probabilities.

    Args:
        expected: The classifier's probabilities `[N, C]`.
        scores: The file's probabilities `[N, C]`.
        name: The name of the check.
        bound: The largest allowed difference.
    """
    drift = float(np.abs(expected - scores).max())
    return Check(name, drift, f"at most {bound:g}", drift <= bound)


def label_check(expected: np.ndarray, predicted: np.ndarray, *, label_space: LabelSpace) -> Check:
    """Checks the share of the texts whose label is the classifier's.

    A label that the classifier would give within the bounds of float32 counts as the same.

    Args:
        expected: The classifier's probabilities `[N, C]`.
        predicted: The place `[N]` of the label that the file gives, -1 for a withheld answer.
        label_space: The labels and the rule that decides.
    """
    rule, bound = label_space.rule, 2 * LARGEST_DRIFT["float32"]
    withheld = predicted < 0
    if label_space.multi_label:
        undecided = rule.exceeded(expected + bound) != rule.exceeded(expected - bound)
        same = undecided.any(axis=1)
        utilities, tolerance = expected + rule.exceeded(expected), bound
    else:
        same = np.zeros(len(expected), bool)
        utilities, tolerance = rule.utilities(expected), bound * max(rule.tolerance, 1.0)
    chosen = utilities[np.arange(len(expected)), predicted]
    same |= chosen >= utilities.max(axis=1) - tolerance
    # An answer on the limit may be withheld or not.
    distance = label_space.answer_probabilities(expected) - rule.abstain_below
    same = np.where(withheld, distance <= bound, same & (distance >= -bound))
    share = float(same.mean())
    return Check("same labels", share, "1", share == 1.0)


def accuracy_check(
    expected: np.ndarray, scores: np.ndarray, *, reference: Reference
) -> Check | None:
    """Checks the accuracy on the labelled texts; None if no text has a label.

    Args:
        expected: The classifier's probabilities `[N, C]`.
        scores: The file's probabilities `[N, C]`.
        reference: The labels.
    """
    before, after = reference.accuracy(expected), reference.accuracy(scores)
    if before is None or after is None:
        return None
    passed = before - after <= LARGEST_LOSS + 1e-9
    return Check("accuracy", after, f"at least {before:.4f} - {LARGEST_LOSS}", passed)


def score_checks(
    expected: np.ndarray, scores: np.ndarray, *, precision: str, reference: Reference
) -> list[Check]:
    """Checks the scores of a file by the bounds of its precision.

    Args:
        expected: The classifier's probabilities `[N, C]`.
        scores: The file's probabilities `[N, C]`.
        precision: The precision of the file; see `textrnn.export.workers.tflite_conversion`.
        reference: The labels of the texts.
    """
    checks = [drift_check(expected, scores, bound=LARGEST_DRIFT[precision])]
    if precision == "float32":
        answers = reference.answers(scores)
        checks.append(label_check(expected, answers, label_space=reference.label_space))
    accuracy = accuracy_check(expected, scores, reference=reference)
    return checks if accuracy is None else [*checks, accuracy]


def none_check(name: str, items: Sequence[str]) -> Check:
    """Checks that a list is empty, such as the operations that the runtime does not have."""
    return Check(name, list(items), "none", not items)
