"""Precision, recall and F1 of each class, and the classes that a table of limited size shows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

__all__ = ["SHOWN_CLASSES", "WEAKEST_CLASSES", "ClassFigures", "class_figures", "shown_classes"]

SHOWN_CLASSES = 30
"""The number of classes up to which a table shows all."""

WEAKEST_CLASSES = 15
"""The largest number of classes in a table."""


class ClassFigures(NamedTuple):
    """The figures of C classes.

    Attributes:
        precision: `[C]`, the share of correct predictions among the predictions of a class.
        recall: `[C]`, the share of correct predictions among the texts of a class.
        f1: `[C]`, the harmonic mean of both; 0 for a class that is neither true nor predicted.
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

    >>> figures, micro_f1 = class_figures(np.array([0, 0, 1]), np.array([0, 1, 1]), classes=2)
    >>> figures.recall.tolist(), round(micro_f1, 3)
    ([0.5, 1.0], 0.667)

    Args:
        true: The class of each text `[N]`, or `[N, C]` of 0 and 1 for any number of classes.
        predicted: The predictions, in the same form.
        classes: C.
    """
    from sklearn import metrics as sk

    labels: np.ndarray | None = np.arange(classes)
    if true.ndim == 2:
        true, predicted, labels = true.astype(int), predicted.astype(int), None
        if classes == 1:
            # scikit-learn reads one column as two classes, 0 and 1.
            true, predicted, labels = true.ravel(), predicted.ravel(), np.array([1])
    figures = sk.precision_recall_fscore_support(
        true, predicted, labels=labels, average=None, zero_division=0.0
    )
    micro = sk.f1_score(true, predicted, labels=labels, average="micro", zero_division=0.0)
    return ClassFigures(*map(np.asarray, figures)), float(micro)


def shown_classes(f1: np.ndarray, support: np.ndarray) -> list[int]:
    """Returns the classes that a table shows: all, or the weakest of more than `SHOWN_CLASSES`.

    Of equally weak classes those with more texts come first.

    Args:
        f1: `[C]`.
        support: `[C]`, the number of texts of each class; a class without texts is not shown.
    """
    if len(f1) <= SHOWN_CLASSES:
        return list(range(len(f1)))
    with_texts = np.flatnonzero(np.asarray(support) > 0)
    order = np.lexsort([-np.asarray(support)[with_texts], np.asarray(f1)[with_texts]])
    return [int(place) for place in with_texts[order[:WEAKEST_CLASSES]]]
