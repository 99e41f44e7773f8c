"""Holding some rows out of a data set, by a seed."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from textrnn.errors import DataError

__all__ = ["Partition", "hold_out"]


class Partition(NamedTuple):
    """Two sets of row numbers, each in ascending order, that together are all rows.

    Attributes:
        kept: The rows that stay.
        held: The rows held out.
        stratified: Whether each label has the same share in both.
    """

    kept: list[int]
    held: list[int]
    stratified: bool


def hold_out(
    labels: Sequence[tuple[str, ...]], *, fraction: float, seed: int, stratify: bool = True
) -> Partition:
    """Holds a share of the rows out.

    Stratified where each class has two rows and both sides have room for each class. Otherwise
    drawn at random from all rows but one a label, so that no label is lost to training.

    Raises:
        DataError: There are too few rows to hold one out.
    """
    rows = len(labels)
    count = max(1, round(rows * fraction))
    sizes = Counter(labels)
    if stratify and min(sizes.values(), default=0) >= 2 and len(sizes) <= min(count, rows - count):
        # Slow to import, and not needed by `textrnn --help`.
        from sklearn.model_selection import train_test_split

        # Strings: scikit-learn would take tuples for rows of a table.
        kept, held = train_test_split(
            range(rows),
            test_size=count,
            random_state=seed,
            stratify=["\n".join(row) for row in labels],
        )
        return Partition(sorted(kept), sorted(held), stratified=True)
    order = random.Random(seed).sample(range(rows), rows)
    seen: set[str] = set()
    free: list[int] = []
    for row in order:
        if set(labels[row]) <= seen:
            free.append(row)
        seen.update(labels[row])
    if not free or rows < 2:
        raise DataError(
            f"expected more rows than labels, so that some can be held out, got {rows} rows with "
            f"{len(seen)} labels; add rows, or give validation data with --valid-file."
        )
    held = sorted(free[:count])
    return Partition(sorted(set(range(rows)) - set(held)), held, stratified=False)
