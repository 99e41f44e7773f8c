"""The outcomes of the trials of a search, their table and their picture."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from textrnn.host.atomic import write_atomically
from textrnn.pictures import png

__all__ = ["Outcome", "write_trials"]


@dataclass(frozen=True)
class Outcome:
    """The outcome of one trial.

    Attributes:
        number: The number of the trial, from 0.
        state: `complete`, `stopped` (by the median stopping rule), `too_large` (not trained) or
            `failed`.
        score: Accuracy on the validation data, or micro F1 if multi-label; None if not trained.
        size: Bytes of the weights with a full vocabulary, 4 bytes per weight.
        seconds: Wall time of the training.
        settings: The searched settings with their values.
        run: The run folder.
    """

    number: int
    state: str
    score: float | None
    size: int
    seconds: float
    settings: dict[str, Any]
    run: Path


def write_trials(outcomes: list[Outcome], folder: Path) -> None:
    """Writes `trials.csv` and draws `trials.png`."""
    names = list(dict.fromkeys(name for outcome in outcomes for name in outcome.settings))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["trial", "state", "score", "bytes", "seconds", *names])
    for outcome in outcomes:
        values: Mapping[str, Any] = outcome.settings
        row = [outcome.number, outcome.state, outcome.score, outcome.size, outcome.seconds]
        writer.writerow([*row, *(values.get(name) for name in names)])
    write_atomically(folder / "trials.csv", text.getvalue())
    trained = [outcome for outcome in outcomes if outcome.score is not None]
    write_atomically(folder / "trials.png", png(_picture(trained)))


def _picture(trained: list[Outcome]) -> Figure:
    """Draws the score by size and the score by time."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    by_size, by_time = figure.subplots(1, 2)
    for cell in dict.fromkeys(str(o.settings.get("cell", "")) for o in trained):
        members = [o for o in trained if str(o.settings.get("cell", "")) == cell]
        by_size.scatter([o.size / 1e6 for o in members], [o.score for o in members], label=cell)
    by_size.set(xscale="log", xlabel="size (MB, float32)", ylabel="validation score")
    if any("cell" in o.settings for o in trained):
        by_size.legend()
    in_order = sorted(trained, key=lambda o: o.number)
    minutes = np.cumsum([o.seconds for o in in_order]) / 60
    scores = np.array([o.score for o in in_order], dtype=float)
    by_time.plot(minutes, scores, "o", alpha=0.5, label="trial")
    by_time.step(minutes, np.maximum.accumulate(scores), where="post", label="best so far")
    by_time.set(xlabel="minutes", ylabel="validation score")
    by_time.legend()
    for axes in (by_size, by_time):
        axes.grid(alpha=0.3)
    return figure
