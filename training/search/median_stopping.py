"""The median stopping rule: a trial that is worse than half of the earlier ones ends early."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from textrnn.inference import run_folder
from textrnn.inference.history import read_history
from textrnn.training.loop.early_end import behind_message

__all__ = ["has_stopped", "stop_below"]

FEWEST_TRIALS = 5
"""The number of earlier trials without which no trial is stopped."""

SHARES = tuple(tenth / 10 for tenth in range(1, 10))
"""The shares of a training after which trials are compared."""

Curve = Sequence[Mapping[str, float]]
"""The figures of each epoch, from `read_history`."""


def stop_below(curves: Iterable[Curve]) -> str | None:
    """Returns the scores below which a trial should stop, as the setting `stop_below`.

    After each tenth of its training, a trial needs at least the median of the best scores that the
    earlier trials had there (Golovin et al. 2017, "Google Vizier: A Service for Black-Box
    Optimization", who compare with the mean score of each trial so far). A trial that has ended
    by then counts with its best score, which is too low if it was stopped, so that the rule is
    mild. The scores are fixed before a trial begins: it asks no other one while it runs.

    >>> curves = [[{"progress": 0.5, "valid_score": score}] for score in (0.6, 0.9, 0.7, 0.8, 0.5)]
    >>> stop_below(curves)
    '0.5:0.7,0.6:0.7,0.7:0.7,0.8:0.7,0.9:0.7'
    >>> stop_below(curves[:4]) is None
    True

    Args:
        curves: The figures of each epoch of each earlier trial that was trained, from
            `read_history`.
    """
    curves = list(curves)
    scores = {}
    for share in SHARES:
        reached = [
            [row["valid_score"] for row in curve if row.get("progress", 1.0) <= share]
            for curve in curves
        ]
        best = [max(points) for points in reached if points]
        if len(best) >= FEWEST_TRIALS:
            scores[share] = statistics.median(best)
    return ",".join(f"{share}:{score}" for share, score in scores.items()) or None


def has_stopped(run: Path) -> bool:
    """Returns whether a trained run was stopped by `stop_below`; not if its folder is gone."""
    if not (history := read_history(run)):
        return False
    config = run_folder.load_config(run / run_folder.CONFIG)
    return bool(behind_message(history, config.schedule))
