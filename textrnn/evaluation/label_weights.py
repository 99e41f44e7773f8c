"""Weights of labels that raise the macro F1 of texts with one label each."""

from __future__ import annotations

import numpy as np

from textrnn.evaluation.thresholds import cuts

__all__ = ["fit_label_weights", "log_ratios"]

MOST_PASSES = 4
"""The number of times that all labels are tried; nearly always the second changes little."""

_LEAST = 1e-12


def log_ratios(log_utilities: np.ndarray, label: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the logarithm `[N]` of the utility of a label over the best other one, and that one.

    Args:
        log_utilities: `[N, C]`.
        label: The place of the label.
    """
    others = log_utilities.copy()
    others[:, label] = -np.inf
    rival = others.argmax(axis=1)
    return log_utilities[:, label] - others[np.arange(len(others)), rival], rival


def fit_label_weights(probabilities: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Returns the logarithms `[C]` of weights w that raise the macro F1 of `argmax w_c p_c`.

    One weight after another is set to the best of all values that lead to different answers
    (coordinate ascent), until nothing changes.

    Args:
        probabilities: `[N, C]`.
        true: The class of each text, `[N]`.
    """
    utilities = np.log(np.maximum(np.asarray(probabilities, np.float64), _LEAST))
    classes = utilities.shape[1]
    weights = np.zeros(classes)
    if classes < 2:
        return weights
    for _ in range(MOST_PASSES):
        changed = False
        for label in range(classes):
            scores, rival = log_ratios(utilities, label)
            thresholds, chosen = cuts(scores, ends=(scores.min() - 1.0, scores.max() + 1.0))
            figures = _macro_f1_of_cuts(scores, rival, true, label, chosen, classes=classes)
            present = figures[np.searchsorted(chosen, (scores >= 0.0).sum())]
            best = np.flatnonzero(figures >= figures.max() - 1e-12)
            place = best[np.abs(thresholds[best]).argmin()]
            if figures[place] > present + 1e-9:
                step = -float(thresholds[place])
                weights[label] += step
                utilities[:, label] += step
                changed = True
        if not changed:
            break
    return weights


def _macro_f1_of_cuts(
    scores: np.ndarray,
    rival: np.ndarray,
    true: np.ndarray,
    label: int,
    chosen: np.ndarray,
    *,
    classes: int,
) -> np.ndarray:
    """Returns the macro F1 `[K]` if the texts of the highest scores get a label, the others not.

    Args:
        scores: `[N]`.
        rival: The label `[N]` that a text gets otherwise.
        true: The class of each text, `[N]`.
        label: The label.
        chosen: `[K]`, the number of texts that get it.
        classes: C.
    """
    order = np.argsort(-scores, kind="stable")
    rival, true = rival[order], true[order]
    support = np.bincount(true, minlength=classes)
    own = 2 * np.concatenate([[0], np.cumsum(true == label)])
    own_f1 = own / np.maximum(np.arange(len(true) + 1) + support[label], 1)
    # How many texts, and how many right answers, have left the rival of each text, up to it.
    hits = true == rival
    grouped = np.argsort(rival, kind="stable")
    left = np.empty(len(true), np.int64)
    left_right = np.empty(len(true), np.int64)
    starts = np.searchsorted(rival[grouped], rival[grouped])
    running = np.concatenate([[0], np.cumsum(hits[grouped])])
    left[grouped] = np.arange(1, len(true) + 1) - starts
    left_right[grouped] = running[1:] - running[starts]
    answers = np.bincount(rival, minlength=classes)
    right = np.bincount(rival[hits], minlength=classes)

    def rival_f1(gone: np.ndarray, gone_right: np.ndarray) -> np.ndarray:
        either = answers[rival] - gone + support[rival]
        return np.asarray(2 * (right[rival] - gone_right) / np.maximum(either, 1))

    change = rival_f1(left, left_right) - rival_f1(left - 1, left_right - hits)
    base = (2 * right / np.maximum(answers + support, 1)).sum()
    total = base + own_f1 + np.concatenate([[0.0], np.cumsum(change)])
    return np.asarray(total[chosen] / classes)
