"""Trains a run in another process, so that a failure does not end the search."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

__all__ = ["TrainChild", "train_child"]

STOPPING_SECONDS = 120.0
"""Time that an interrupted training gets to write its checkpoint."""


class TrainChild(Protocol):
    """Trains a run in another process; see `train_child`."""

    def __call__(self, config: Path, run: Path, *, log: Path, options: Sequence[str]) -> int:
        """Returns the exit code of the process."""
        ...


def train_child(config: Path, run: Path, *, log: Path, options: Sequence[str]) -> int:
    """Trains a run by `textrnn train` in another process and waits for its end.

    An interruption reaches the process as well, which then saves a checkpoint.

    Args:
        config: The file of settings.
        run: The run folder.
        log: File to which the output of the process is appended.
        options: More options of `textrnn train`.

    Returns:
        The exit code of the process.

    Raises:
        KeyboardInterrupt: The user interrupted the training; the process has ended.
    """
    command = [sys.executable, "-m", "textrnn", "train", *options]
    command += ["--config", str(config), "--output", str(run)]
    with (
        log.open("a", encoding="utf-8") as file,
        subprocess.Popen(command, stdout=file, stderr=file, stdin=subprocess.DEVNULL) as process,
    ):
        try:
            return process.wait()
        except KeyboardInterrupt:
            try:
                process.wait(STOPPING_SECONDS)
            except (KeyboardInterrupt, subprocess.TimeoutExpired):
                process.terminate()
            raise
