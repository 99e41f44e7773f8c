"""Holding some rows out of a data set, by a seed."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import NamedTuple

from textrnn.errors import DataError

__all__ = ["Partition", "hold_out"]


class Partition(NamedTuple):
    """Two sets of row numbers, each in ascending order, that together are all rows.

    Attributes:
        kept: The rows that stay.
        held: The rows held out.
        stratified: Whether each label that comes more than once has the same share in both.
    """

    kept: list[int]
    held: list[int]
    stratified: bool


def hold_out(
    labels: Sequence[tuple[str, ...]],
    *,
    fraction: float,
    seed: int,
    stratify: bool = True,
    groups: Sequence[Hashable] | None = None,
) -> Partition:
    """Holds a share of the rows out.

    Stratified where both sides have room for each class; a class of a single group stays. Otherwise
    drawn at random from all rows but one a label, so that no label is lost to training.

    Args:
        labels: Of each row.
        fraction: The share that is held out.
        seed: Of the choice.
        stratify: Whether to stratify at all.
        groups: Of each row; rows of one group stay together. None: each row is its own group.

    Raises:
        DataError: There are too few rows to hold one out.
    """
    members: dict[Hashable, list[int]] = {}
    for row in range(len(labels)):
        members.setdefault(row if groups is None else groups[row], []).append(row)
    units = list(members.values())
    carried = [tuple(dict.fromkeys(x for row in unit for x in labels[row])) for unit in units]
    held, stratified = _held_units(
        carried, [labels[unit[0]] for unit in units], fraction, seed, stratify
    )
    if not held:
        names = {name for row in labels for name in row}
        alone = "rows" if len(units) == len(labels) else "different texts"
        raise DataError(
            f"expected more rows than labels, so that some can be held out, got {len(units)} "
            f"{alone} with {len(names)} labels; add rows, or give validation data with "
            "--valid-file."
        )
    out = sorted(row for unit in held for row in units[unit])
    return Partition(sorted(set(range(len(labels))) - set(out)), out, stratified)


def _held_units(
    carried: Sequence[tuple[str, ...]],
    strata: Sequence[tuple[str, ...]],
    fraction: float,
    seed: int,
    stratify: bool,
) -> tuple[list[int], bool]:
    """The units that are held out, and whether they are stratified."""
    sizes = Counter(strata)
    several = [unit for unit in range(len(strata)) if sizes[strata[unit]] > 1]
    count = max(1, round(len(strata) * fraction))
    classes = len({strata[unit] for unit in several})
    if stratify and several and classes <= min(count, len(several) - count):
        # Slow to import, and not needed by `textrnn --help`.
        from sklearn.model_selection import train_test_split

        # Strings: scikit-learn would take tuples for rows of a table.
        _, held = train_test_split(
            several,
            test_size=count,
            random_state=seed,
            stratify=["\n".join(strata[unit]) for unit in several],
        )
        return sorted(held), True
    seen: set[str] = set()
    free: list[int] = []
    for unit in random.Random(seed).sample(range(len(carried)), len(carried)):
        if set(carried[unit]) <= seen:
            free.append(unit)
        seen.update(carried[unit])
    return sorted(free[:count]) if len(carried) > 1 else [], False
