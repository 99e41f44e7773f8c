"""Holds a random share of the rows of a data set out."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import NamedTuple

from textrnn.errors import DataError

__all__ = ["Partition", "hold_out"]


class Partition(NamedTuple):
    """Two lists of row numbers in ascending order; each row is in one of them.

    Attributes:
        remaining: The rows that are not held out.
        held_out: The rows that are held out.
        stratified: Whether each label of several rows has the same share of both lists.
    """

    remaining: list[int]
    held_out: list[int]
    stratified: bool


def hold_out(
    labels: Sequence[tuple[str, ...]],
    *,
    fraction: float,
    seed: int,
    stratify: bool = True,
    groups: Sequence[Hashable] | None = None,
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
        groups: The group of each row; rows of a group stay together. None puts each row into a
            group of its own.
        times: The time of each row, which replaces all but the share; rows of the same time stay
            together. None: there are no times.

    Raises:
        DataError: There are too few rows to hold one out.
    """
    if times is not None:
        return _latest(times, fraction=fraction)
    rows_of_group: dict[Hashable, list[int]] = {}
    for row in range(len(labels)):
        rows_of_group.setdefault(row if groups is None else groups[row], []).append(row)
    members = list(rows_of_group.values())
    count = max(1, round(len(members) * fraction))
    held_groups = None
    if stratify:
        strata = [labels[rows[0]] for rows in members]
        held_groups = _stratified_choice(strata, count=count, seed=seed)
    stratified = held_groups is not None
    if held_groups is None:
        group_labels = [{name for row in rows for name in labels[row]} for rows in members]
        held_groups = _random_choice(group_labels, count=count, seed=seed)
    if not held_groups:
        names = {name for row in labels for name in row}
        noun = "rows" if len(members) == len(labels) else "different texts"
        raise DataError(
            f"expected more rows than labels, so that some can be held out, got {len(members)} "
            f"{noun} with {len(names)} labels; add rows, or give validation data with "
            "--valid-file."
        )
    held_out = sorted(row for group in held_groups for row in members[group])
    remaining = sorted(set(range(len(labels))) - set(held_out))
    return Partition(remaining, held_out, stratified)


def _latest(times: Sequence[float], *, fraction: float) -> Partition:
    """Holds the rows of the latest times out."""
    ordered = sorted(times)
    count = max(1, round(len(times) * fraction))
    begin = ordered[-count] if ordered else 0.0
    if ordered and begin == ordered[0]:
        begin = next((time for time in ordered if time > begin), float("inf"))
    held_out = [row for row, time in enumerate(times) if time >= begin]
    if not held_out:
        raise DataError(
            "expected texts of different times, so that the latest can be held out, got one time; "
            "check --time-column."
        )
    remaining = [row for row, time in enumerate(times) if time < begin]
    return Partition(remaining, held_out, stratified=False)


def _stratified_choice(
    strata: Sequence[tuple[str, ...]], *, count: int, seed: int
) -> list[int] | None:
    """Returns groups with the shares of the strata, or None if there are too few groups."""
    sizes = Counter(strata)
    eligible = [group for group, stratum in enumerate(strata) if sizes[stratum] > 1]
    classes = len({strata[group] for group in eligible})
    if not eligible or classes > min(count, len(eligible) - count):
        return None
    # Slow to import, and not needed by `textrnn --help`.
    from sklearn.model_selection import train_test_split

    _, held_groups = train_test_split(
        eligible,
        test_size=count,
        random_state=seed,
        # Strings, because scikit-learn would take tuples for the rows of a table.
        stratify=["\n".join(strata[group]) for group in eligible],
    )
    return sorted(held_groups)


def _random_choice(group_labels: Sequence[set[str]], *, count: int, seed: int) -> list[int]:
    """Returns random groups whose labels are all in other groups too, or an empty list."""
    if len(group_labels) < 2:
        return []
    seen: set[str] = set()
    eligible: list[int] = []
    for group in random.Random(seed).sample(range(len(group_labels)), len(group_labels)):
        if group_labels[group] <= seen:
            eligible.append(group)
        seen.update(group_labels[group])
    return sorted(eligible[:count])
