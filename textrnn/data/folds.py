"""Divides the rows of a data set into folds, each of which is measured by a run of its own."""

from __future__ import annotations

import random
import warnings
from collections import Counter
from collections.abc import Hashable, Sequence

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.data import fold_of
from textrnn.data.corpus import Split
from textrnn.data.duplicates import text_groups
from textrnn.errors import DataError
from textrnn.messages.wording import counted, listed

__all__ = ["fold_numbers", "fold_parts", "unknown_labels", "without_fold"]


def fold_numbers(
    labels: Sequence[tuple[str, ...]],
    *,
    count: int,
    seed: int,
    stratify: bool = True,
    groups: Sequence[Hashable] | None = None,
    times: Sequence[float] | None = None,
) -> list[int]:
    """Returns the number of the fold of each row, from 1 on.

    Rows of a group are in one fold. If it can be done, each label has the same share of each fold.
    By time, the rows are cut into `count` + 1 parts in the order of their times; the first part is
    measured by no run, and its rows have the number 0.

    >>> fold_numbers([("a",)] * 4, count=3, seed=0, times=[4.0, 1.0, 2.0, 3.0])
    [3, 0, 1, 2]

    Args:
        labels: The labels of each row.
        count: The number of folds, at least 2.
        seed: The seed of the random choice.
        stratify: Whether to stratify at all.
        groups: The group of each row; None puts each row into a group of its own.
        times: The time of each row, which replaces seed, labels and groups; None: no times.

    Raises:
        DataError: There are fewer groups, or different times, than folds.
    """
    if times is not None:
        return _by_time(times, count)
    numbers: dict[Hashable, int] = {}
    group_of = [
        numbers.setdefault(row if groups is None else groups[row], len(numbers))
        for row in range(len(labels))
    ]
    if len(numbers) < count:
        raise DataError(
            f"expected at least {count} different texts or groups for {count} folds, got "
            f"{len(numbers)}; add texts, or take fewer folds."
        )
    if not stratify:
        fold_of_group = _shuffled(len(numbers), count, seed)
        return [fold_of_group[group] for group in group_of]
    return _stratified(labels, group_of, count=count, seed=seed)


def fold_parts(numbers: Sequence[int], fold: int, *, by_time: bool) -> tuple[list[int], list[int]]:
    """Returns the rows that the run of a fold learns from, and the rows that it is measured on.

    Args:
        numbers: The number of the fold of each row.
        fold: The fold.
        by_time: Whether a run learns only from what came before.
    """
    measured = [row for row, number in enumerate(numbers) if number == fold]
    learned = [
        row for row, number in enumerate(numbers) if (number < fold if by_time else number != fold)
    ]
    return learned, measured


def without_fold(
    train: Split, config: ClassifierRunConfig, *, seed: int, where: str
) -> tuple[Split, Split]:
    """Divides the training data into what the run of a fold learns from, and the fold.

    Args:
        train: The training data.
        config: The settings of the data; `fold` is set.
        seed: The seed of the run.
        where: The name of the source, for messages.

    Raises:
        DataError: There are too few texts for so many folds.
    """
    number, count = fold_of(str(config.data.fold))
    try:
        numbers = fold_numbers(
            train.labels,
            count=count,
            seed=seed,
            stratify=not config.task.multi_label,
            groups=text_groups(train).tolist() if train.groups is None else train.groups,
            times=train.times,
        )
    except DataError as error:
        raise DataError(f"{where}: {error}") from None
    learned, measured = fold_parts(numbers, number, by_time=train.times is not None)
    return train.take(learned), train.take(measured)


def unknown_labels(train: Split, label_names: Sequence[str], *, where: str) -> list[str]:
    """Returns a sentence if no text that is left in the training data has one of the labels.

    Args:
        train: The training data, without what is held out.
        label_names: All labels.
        where: The name of the source, for the sentence.
    """
    known = {name for labels in train.labels for name in labels}
    missing = [name for name in label_names if name not in known]
    if not missing:
        return []
    return [
        f"{where}: no training text is left of {counted(len(missing), 'label')} "
        f"({listed(missing, 10)}), whose texts are all held out; the run cannot answer with them."
    ]


def _by_time(times: Sequence[float], count: int) -> list[int]:
    order = sorted(range(len(times)), key=lambda row: times[row])
    part_of_time: dict[float, int] = {}
    for place, row in enumerate(order):  # Equal times are in the part of the first of them.
        part_of_time.setdefault(times[row], place * (count + 1) // len(order))
    if len(set(part_of_time.values())) < count + 1:
        raise DataError(
            f"expected times that divide the texts into {count + 1} parts, got "
            f"{len(part_of_time)} different times; take fewer folds."
        )
    return [part_of_time[time] for time in times]


def _shuffled(groups: int, count: int, seed: int) -> list[int]:
    order = random.Random(seed).sample(range(groups), groups)
    folds = [0] * groups
    for place, group in enumerate(order):
        folds[group] = 1 + place % count
    return folds


def _stratified(
    labels: Sequence[tuple[str, ...]], group_of: Sequence[int], *, count: int, seed: int
) -> list[int]:
    # Slow to import, and not needed by `textrnn --help`.
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    strata = ["\n".join(row) for row in labels]
    first_rows: dict[int, int] = {}
    for row, group in enumerate(group_of):
        first_rows.setdefault(group, row)
    alike = all(strata[row] == strata[first_rows[group]] for row, group in enumerate(group_of))
    by_group = [strata[row] for row in first_rows.values()]
    # The folds of rare labels are left to chance, and so is each label where all are rare.
    if max(Counter(by_group).values()) < count:
        fold_of_group = _shuffled(len(first_rows), count, seed)
        return [fold_of_group[group] for group in group_of]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")
        if alike:  # Much faster than for groups of several labels.
            splitter = StratifiedKFold(count, shuffle=True, random_state=seed)
            fold_of_group = [0] * len(by_group)
            for fold, (_, places) in enumerate(splitter.split(by_group, by_group), start=1):
                for place in places:
                    fold_of_group[place] = fold
            return [fold_of_group[group] for group in group_of]
        folds = [0] * len(strata)
        grouped = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
        for fold, (_, rows) in enumerate(grouped.split(strata, strata, group_of), start=1):
            for row in rows:
                folds[row] = fold
    return folds
