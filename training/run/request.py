"""The settings of a training together with the other arguments of its caller."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import keras

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data.loading import Source
from textrnn.progress import Reporter, Silent

__all__ = ["RunRequest"]


@dataclass(frozen=True)
class RunRequest:
    """One training of a classifier into a run folder.

    Attributes:
        config: All settings.
        folder: The run folder. Of several workers, only the chief reads and writes it.
        reporter: Receives messages and progress.
        resume: Whether to continue from the checkpoint in the folder.
        resume_or_start: Whether to continue if there is a checkpoint, and to start otherwise.
        overwrite: Whether a run in the folder may be replaced.
        measure_test: Whether to measure the test data at the end.
        should_stop: Called at each update. If it returns True, a checkpoint is saved and
            KeyboardInterrupt is raised.
        callbacks: Keras callbacks.
        started: The start of the time budget, by `time.monotonic`.
        source: The source of the data; None: the one that the settings name.
        keep_data: Whether the run folder keeps the texts of the source.
    """

    config: ClassifierRunConfig
    folder: Path
    reporter: Reporter = field(default_factory=Silent)
    resume: bool = False
    resume_or_start: bool = False
    overwrite: bool = False
    measure_test: bool = True
    should_stop: Callable[[], bool] = lambda: False
    callbacks: Sequence[keras.callbacks.Callback] = ()
    started: float = field(default_factory=time.monotonic)
    source: Source | None = None
    keep_data: bool = False
