"""Out-of-fold probabilities: each text is answered by a model that has not learned from it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable, Sequence

import numpy as np

from textrnn.data import Split
from textrnn.evaluation.baseline import LinearBaseline
from textrnn.models.label_space import LabelSpace

__all__ = ["out_of_fold_probabilities"]


def out_of_fold_probabilities(
    split: Split,
    *,
    label_space: LabelSpace,
    folds: int,
    groups: Sequence[Hashable],
    seed: int = 0,
    on_fold: Callable[[int], object] | None = None,
) -> np.ndarray:
    """Returns the probabilities `[N, C]` that linear models give to texts of other folds.

    The folds have about equal shares of each label; of a text of several labels, its rarest one
    counts.

    Args:
        split: N texts and their labels.
        label_space: The C labels.
        folds: The number of folds, which is the number of models.
        groups: The group of each text; texts of one group are in one fold.
        seed: The seed of the folds and of the models.
        on_fold: Receives 1 for each fold that is done.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    strata = _strata(label_space.targets(split.labels))
    if np.bincount(strata).max() < folds:  # scikit-learn cannot stratify them.
        strata[:] = 0
    numbers = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    group_of = np.array([numbers[group] for group in groups])
    probabilities = np.zeros([len(split), len(label_space.labels)])
    parts = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # Of classes that are smaller than the number of folds, which the check has found before.
        warnings.simplefilter("ignore", UserWarning)
        pairs = list(parts.split(np.zeros([len(split), 1]), strata, group_of))
    for train, held_out in pairs:
        model = LinearBaseline(split.take(train.tolist()), label_space=label_space, seed=seed)
        texts = [split.texts[place] for place in held_out]
        probabilities[held_out] = model.probabilities(texts)
        if on_fold is not None:
            on_fold(1)
    return probabilities


def _strata(targets: np.ndarray) -> np.ndarray:
    """Returns the column `[N]` of each text's rarest label; C if it has no label."""
    rarest_first = np.argsort(targets.sum(axis=0), kind="stable")
    strata = np.full(len(targets), targets.shape[1])
    for column in rarest_first[::-1]:
        strata[targets[:, column] > 0] = column
    return strata
