"""Precision, recall and F1 of each class, and the classes that a table of limited size shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from textrnn.messages.wording import counted

__all__ = [
    "SHOWN_CLASSES",
    "WEAKEST_CLASSES",
    "ClassFigures",
    "class_figures",
    "macro_f1",
    "shown_classes",
    "weakest_class",
    "weakest_class_sentence",
]

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


def macro_f1(true: np.ndarray, predicted: np.ndarray) -> float:
    """Returns the mean F1 of the classes that some text or some prediction has, as scikit-learn.

    A class without both says nothing, and does not count; 0 if there is no other.

    >>> macro_f1(np.array([[1, 0, 0], [0, 1, 0]]), np.array([[1, 0, 0], [1, 0, 0]]))
    0.3333333333333333

    Args:
        true: `[N, C]` of 0 and 1.
        predicted: `[N, C]` of 0 and 1.
    """
    true, predicted = np.asarray(true, bool), np.asarray(predicted, bool)
    either = true.sum(axis=0) + predicted.sum(axis=0)
    right = (true & predicted).sum(axis=0)
    occurs = either > 0
    return float((2 * right[occurs] / either[occurs]).mean()) if occurs.any() else 0.0


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


def weakest_class(per_class: Mapping[str, Mapping[str, float]]) -> str | None:
    """Returns the class with the lowest recall, and the lowest F1 among equals.

    Args:
        per_class: The `recall`, `f1` and `support` of each label.

    Returns:
        The name of the class; None if no class is worse than the others.
    """
    with_texts = {name: f for name, f in per_class.items() if f["support"] > 0}
    if len(with_texts) < 2:
        return None
    name = min(with_texts, key=lambda label: (with_texts[label]["recall"], with_texts[label]["f1"]))
    best = max(figures["recall"] for figures in with_texts.values())
    return None if with_texts[name]["recall"] == best else name


def weakest_class_sentence(per_class: Mapping[str, Mapping[str, float]]) -> str:
    """Returns a sentence about the class whose texts suffer most; empty if none is worse.

    It is that of `weakest_class`.

    >>> weakest_class_sentence({
    ...     "ham": {"precision": 0.9, "recall": 0.99, "f1": 0.94, "support": 200},
    ...     "spam": {"precision": 0.9, "recall": 0.5, "f1": 0.64, "support": 20},
    ... })
    'The label spam suffers most: 50.0 % of its 20 texts are found (F1 64.0 %).'

    Args:
        per_class: The `recall`, `f1` and `support` of each label.
    """
    name = weakest_class(per_class)
    if name is None:
        return ""
    weakest = per_class[name]
    texts = counted(int(weakest["support"]), "text")
    verb = "is" if weakest["support"] == 1 else "are"
    return (
        f"The label {name} suffers most: {100 * weakest['recall']:.1f} % of its {texts} {verb} "
        f"found (F1 {100 * weakest['f1']:.1f} %)."
    )
