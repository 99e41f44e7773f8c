"""Holds a random share of the rows of a data set out."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from textrnn.data.column_store import LabelColumn
from textrnn.errors import DataError

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Partition", "hold_out", "numbered"]


class Partition(NamedTuple):
    """Two arrays of row numbers in ascending order; each row is in one of them.

    Attributes:
        remaining: The rows that are not held out.
        held_out: The rows that are held out.
        stratified: Whether each label of several rows has the same share of both.
    """

    remaining: np.ndarray
    held_out: np.ndarray
    stratified: bool


def hold_out(
    labels: Sequence[tuple[str, ...]],
    *,
    fraction: float,
    seed: int,
    stratify: bool = True,
    groups: np.ndarray | Sequence[int] | Sequence[str] | None = None,
    times: Sequence[float] | None = None,
) -> Partition:
    """Holds a share of the rows out: the latest ones if there are times.

    The choice is stratified if both sides have room for each class; a class of a single group
    stays. Otherwise the rows are drawn at random, but one row of each label stays, so that training
    loses no label.

    >>> labels = [("pos",), ("neg",)] * 5
    >>> [labels[row] for row in hold_out(labels, fraction=0.2, seed=0).held_out]
    [('pos',), ('neg',)]

    Args:
        labels: The labels of each row.
        fraction: The share of the rows that is held out.
        seed: The seed of the random choice.
        stratify: Whether to stratify at all.
        groups: `[N]`, the group of each row; rows of a group stay together. None puts each row into
            a group of its own.
        times: The time of each row, which replaces all but the share; rows of the same time stay
            together. None: there are no times.

    Raises:
        DataError: There are too few rows to hold one out.
    """
    import numpy as np

    if times is not None:
        return _latest(np.asarray(times), fraction=fraction)
    column = LabelColumn.of(labels)
    group_of = first_row = np.arange(len(column))
    if groups is not None:
        group_of, first_row = numbered(groups)
    count = max(1, round(len(first_row) * fraction))
    held_groups = None
    if stratify:
        held_groups = _stratified_choice(column.take(first_row), count=count, seed=seed)
    stratified = held_groups is not None
    if held_groups is None:
        group_labels: list[set[str]] = [set() for _ in first_row]
        for group, row_labels in zip(group_of.tolist(), column, strict=True):
            group_labels[group].update(row_labels)
        held_groups = _random_choice(group_labels, count=count, seed=seed)
    if not len(held_groups):
        names = column.name_counts()
        noun = "rows" if len(first_row) == len(column) else "different texts"
        raise DataError(
            f"expected more rows than labels, so that some can be held out, got {len(first_row)} "
            f"{noun} with {len(names)} labels; add rows, or give validation data with "
            "`valid_file`."
        )
    is_held = np.isin(group_of, held_groups)
    return Partition(np.flatnonzero(~is_held), np.flatnonzero(is_held), stratified)


def numbered(
    groups: np.ndarray | Sequence[int] | Sequence[str],
) -> tuple[np.ndarray, np.ndarray]:
    """Numbers the groups of rows by their first rows.

    >>> [numbers.tolist() for numbers in numbered([7, 3, 7])]
    [[0, 1, 0], [0, 1]]

    Args:
        groups: `[N]`, equal for the rows of a group.

    Returns:
        The number `[N]` of each row's group, and the first row `[G]` of each group, ascending.
    """
    import numpy as np

    _, first, group = np.unique(np.asarray(groups), return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return np.asarray(rank[group]), np.sort(first)


def _latest(times: np.ndarray, *, fraction: float) -> Partition:
    """Holds the rows of the latest times out."""
    import numpy as np

    ordered = np.sort(times)
    later = ordered[ordered > ordered[:1]] if len(ordered) else ordered
    if not len(later):
        raise DataError(
            "expected texts of different times, so that the latest can be held out, got one time; "
            "check `time_column`."
        )
    count = max(1, round(len(times) * fraction))
    begin = max(ordered[-count], later[0])
    return Partition(np.flatnonzero(times < begin), np.flatnonzero(times >= begin), False)


def _stratified_choice(strata: LabelColumn, *, count: int, seed: int) -> np.ndarray | None:
    """Returns groups with the shares of the strata, or None if there are too few groups."""
    import numpy as np

    sizes = np.bincount(strata.codes, minlength=1)
    eligible = np.flatnonzero(sizes[strata.codes] > 1)
    classes = int((sizes > 1).sum())
    if not len(eligible) or classes > min(count, len(eligible) - count):
        return None
    # Slow to import, and not needed by `textrnn --help`.
    from sklearn.model_selection import train_test_split

    # The choice depends on the order of the classes, which is that of their names.
    _, order = np.unique(["\n".join(names) for names in strata.distinct], return_inverse=True)
    _, held_groups = train_test_split(
        eligible, test_size=count, random_state=seed, stratify=order[strata.codes[eligible]]
    )
    return np.sort(held_groups)


def _random_choice(group_labels: Sequence[set[str]], *, count: int, seed: int) -> np.ndarray:
    """Returns random groups whose labels are all in other groups too, or an empty array."""
    import numpy as np

    if len(group_labels) < 2:
        return np.zeros(0, np.int64)
    seen: set[str] = set()
    eligible: list[int] = []
    for group in random.Random(seed).sample(range(len(group_labels)), len(group_labels)):
        if group_labels[group] <= seen:
            eligible.append(group)
        seen.update(group_labels[group])
    return np.sort(np.array(eligible[:count], np.int64))
