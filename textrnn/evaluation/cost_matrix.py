"""The cost matrix of a user: a CSV file of what each answer costs to texts of each label."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path

from textrnn.errors import DataError
from textrnn.messages.wording import listed

__all__ = ["read_cost_matrix"]


def read_cost_matrix(path: str | Path, labels: Sequence[str]) -> tuple[tuple[float, ...], ...]:
    """Reads the costs of all answers.

    The header names the answered labels, the first column the true ones, in any order:

        true,ham,spam
        ham,0,10
        spam,1,0

    Args:
        path: The CSV file, in UTF-8.
        labels: The C labels of the run.

    Returns:
        `costs[k][c]`, the cost of the answer c to a text of the label k, in the order of the
        labels.

    Raises:
        DataError: The file cannot be read, lacks or repeats a label, or a cost is no number of at
            least 0.
    """
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file) if any(cell.strip() for cell in row)]
    except OSError as error:
        raise DataError(f"{path}: expected a cost matrix, got: {error.strerror}.") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: expected CSV in UTF-8, got: {error}.") from None
    if not rows:
        raise DataError(f"{path}: expected a cost matrix, got an empty file.")
    answers = [cell.strip() for cell in rows[0][1:]]
    _check_labels(answers, labels, where=f"{path}, header")
    _check_labels([row[0].strip() for row in rows[1:]], labels, where=f"{path}, first column")
    costs = {}
    for row in rows[1:]:
        true = row[0].strip()
        if len(row) != len(rows[0]):
            raise DataError(
                f"{path}, row {true!r}: expected {len(rows[0])} cells as in the header, got "
                f"{len(row)}."
            )
        costs[true] = {
            answer: _cost(cell, where=f"{path}, row {true!r}, column {answer!r}")
            for answer, cell in zip(answers, row[1:], strict=True)
        }
    return tuple(tuple(costs[true][answer] for answer in labels) for true in labels)


def _check_labels(found: Sequence[str], labels: Sequence[str], *, where: str) -> None:
    missing = [label for label in labels if label not in found]
    unknown = [name for name in found if name not in labels]
    if not missing and not unknown and len(found) == len(labels):
        return
    problem = "one of them twice"
    if missing:
        problem = f"none for {listed(missing)}"
    elif unknown:
        problem = f"also {listed(unknown)}"
    raise DataError(f"{where}: expected each label of the run once, got {problem}.")


def _cost(cell: str, *, where: str) -> float:
    try:
        cost = float(cell)
    except ValueError:
        cost = math.nan
    if not 0.0 <= cost < math.inf:
        raise DataError(f"{where}: expected a cost of at least 0, got {cell!r}.")
    return cost
