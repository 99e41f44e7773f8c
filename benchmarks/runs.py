"""Runs of textrnn as a user would type them, for the benchmarks of accuracy."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

__all__ = ["accuracies", "run", "spread", "validation_accuracy"]


def run(command: Sequence[str], folder: Path) -> float:
    """Runs a command unless its run is finished; the minutes that it took, then or now."""
    clock = folder / "minutes.json"
    if not (folder / "digests.json").is_file():
        begin = time.monotonic()
        full = [sys.executable, "-m", "textrnn", *command, "--output", str(folder), "--overwrite"]
        print("$", " ".join(full[1:]), flush=True)
        subprocess.run(full, check=True)
        clock.write_text(json.dumps((time.monotonic() - begin) / 60), encoding="utf-8")
    minutes: float = json.loads(clock.read_text(encoding="utf-8"))
    return minutes


def accuracies(folder: Path) -> tuple[float, float]:
    """Returns the accuracies of a finished run on validation and test texts, in percent."""
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    return 100 * metrics["validation"]["accuracy"], 100 * metrics["test"]["accuracy"]


def validation_accuracy(folder: Path) -> float:
    """Returns the accuracy of a finished run on all of its validation texts, in percent.

    A run with a time budget may have measured some of them only.
    """
    command = [sys.executable, "-m", "textrnn", "evaluate", str(folder), "--json"]
    printed = subprocess.run(
        [*command, "--split", "validation"], check=True, stdout=subprocess.PIPE
    ).stdout
    return 100 * float(json.loads(printed)["accuracy"])


def spread(values: Sequence[float]) -> str:
    """The mean and, of several, the standard deviation."""
    mean = f"{np.mean(values):.2f}"
    return mean if len(values) == 1 else f"{mean} +- {np.std(values, ddof=1):.2f}"
