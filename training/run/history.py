"""The learning curve of a run, as a table and as a picture."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from textrnn.host.atomic import write_atomically
from textrnn.pictures import png

__all__ = ["draw_curves", "write_history"]


def write_history(path: Path, history: Sequence[Mapping[str, float]]) -> None:
    """Writes one row per epoch as CSV; the columns are those of the last one.

    The first rows may lack some columns, if an earlier version of textrnn began the training.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(history[-1]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    write_atomically(path, text.getvalue())


def draw_curves(path: Path, history: Sequence[Mapping[str, float]], *, title: str) -> None:
    """Draws loss and accuracy of training and validation by epoch, as PNG."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    figure.suptitle(title)
    epochs = [row["epoch"] for row in history]
    for axes, name, unit in zip(
        figure.subplots(1, 2), ("loss", "accuracy"), ("nats a text", "share of texts"), strict=True
    ):
        axes.plot(epochs, [row[f"train_{name}"] for row in history], "o-", label="training")
        axes.plot(epochs, [row[f"valid_{name}"] for row in history], "s-", label="validation")
        axes.set_xlabel("epoch")
        axes.set_ylabel(f"{name} ({unit})")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        axes.legend()
    write_atomically(path, png(figure))
