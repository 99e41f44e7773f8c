"""The learning curve of a run, as its folder has it."""

from __future__ import annotations

import csv
from pathlib import Path

__all__ = ["HISTORY", "read_history"]

HISTORY = "history.csv"
"""The file in a run folder with one row per epoch."""


def read_history(run: Path) -> list[dict[str, float]]:
    """Returns the figures of each epoch; none if the file is missing or is not such a file.

    Args:
        run: The run folder.
    """
    try:
        with (run / HISTORY).open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
            return [{name: float(figure) for name, figure in row.items() if figure} for row in rows]
    except (OSError, ValueError, TypeError):
        return []
