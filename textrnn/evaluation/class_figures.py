"""Precision, recall and F1 of each class, and which classes a bounded table shows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

__all__ = ["SHOWN_CLASSES", "WEAKEST_CLASSES", "ClassFigures", "class_figures", "shown_classes"]

SHOWN_CLASSES = 30
"""Classes up to which a table shows all."""

WEAKEST_CLASSES = 15
"""Classes that a table shows of more."""


class ClassFigures(NamedTuple):
    """The figures of C classes.

    Attributes:
        precision: `[C]`, of the texts with this answer, the share that is right.
        recall: `[C]`, of the texts of this class, the share that is answered so.
        f1: `[C]`, their harmonic mean; 0 where a class is neither true nor answered.
        support: `[C]`, the number of texts of each class.
    """

    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray
    support: np.ndarray


def class_figures(
    true: np.ndarray, predicted: np.ndarray, *, classes: int
) -> tuple[ClassFigures, float]:
    """Returns the figures of each class, and the micro F1.

    Args:
        true: The class of each text `[N]`, or `[N, C]` of 0 and 1 for any number of them.
        predicted: The answers, in the same form.
        classes: C.
    """
    from sklearn import metrics as sk

    labels: np.ndarray | None = np.arange(classes)
    if true.ndim == 2:
        true, predicted, labels = true.astype(int), predicted.astype(int), None
        if classes == 1:
            # scikit-learn reads one column as two classes, 0 and 1.
            true, predicted, labels = true.ravel(), predicted.ravel(), np.array([1])
    each = sk.precision_recall_fscore_support(
        true, predicted, labels=labels, average=None, zero_division=0.0
    )
    micro = sk.f1_score(true, predicted, labels=labels, average="micro", zero_division=0.0)
    return ClassFigures(*map(np.asarray, each)), float(micro)


def shown_classes(f1: np.ndarray, support: np.ndarray) -> list[int]:
    """Returns the classes that a table shows: all, or the weakest of more than `SHOWN_CLASSES`.

    Of equally weak ones those with more texts come first.

    Args:
        f1: `[C]`.
        support: `[C]`, the texts of each; a class without any is not among the weakest.
    """
    if len(f1) <= SHOWN_CLASSES:
        return list(range(len(f1)))
    with_texts = np.flatnonzero(np.asarray(support) > 0)
    order = np.lexsort([-np.asarray(support)[with_texts], np.asarray(f1)[with_texts]])
    return [int(place) for place in with_texts[order[:WEAKEST_CLASSES]]]
