"""The training of a classifier from its settings to a finished run folder."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.errors import ConfigError
from textrnn.inference import run_folder
from textrnn.inference.classifier import TrainedClassifier
from textrnn.layers.cells import RNNCell
from textrnn.models.building import cell_name
from textrnn.progress import Reporter, Silent
from textrnn.training.devices.strategy import Distribution
from textrnn.training.loop.range_test import RangeTest, find_rate
from textrnn.training.run.classifier_run import ClassifierRun
from textrnn.training.run.faults import explained, spared
from textrnn.training.run.folder import (
    check_folder,
    check_started,
    default_folder,
    hold,
    is_started,
)
from textrnn.training.run.request import RunRequest
from textrnn.training.run.transfer import adopt_shape

__all__ = ["find_learning_rate", "train"]


def train(
    config: ClassifierRunConfig | None = None,
    output: str | Path | None = None,
    *,
    cell: type[RNNCell] | str | None = None,
    reporter: Reporter | None = None,
    resume: bool = False,
    resume_or_start: bool = False,
    overwrite: bool = False,
    measure_test: bool = True,
    should_stop: Callable[[], bool] = lambda: False,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    started: float | None = None,
    **settings: Any,
) -> TrainedClassifier | None:
    """Trains a classifier into a run folder.

    The validation data chooses the epoch whose weights are kept; then the test data is measured.

    Example:
        textrnn.train(train_file="reviews.csv", cell=MyCell, epochs=3, output="runs/reviews")

    Args:
        config: All settings; None: the defaults.
        output: The run folder; None: `runs/` and the name of the data. Of several workers, only the
            chief reads and writes it.
        cell: The name of a cell, or the class of an own cell that is registered with Keras.
        reporter: Receives messages and progress; None: nothing is reported.
        resume: Whether to continue from the checkpoint in the folder, with the same settings.
        resume_or_start: Whether to continue if there is a checkpoint, and to start otherwise; a
            finished run is loaded as it is.
        overwrite: Whether a run in the folder may be replaced.
        measure_test: Whether to measure the test data.
        should_stop: Called at each update; True saves a checkpoint and raises KeyboardInterrupt.
        callbacks: Keras callbacks. The learning rate follows the schedule, unless a callback
            changes it in `on_train_batch_begin`.
        started: The beginning of the time budget, by `time.monotonic`; None: now.
        **settings: Single settings that replace those of `config`, such as `epochs`. With
            `init_from`, the settings that are not given here follow the language model.

    Returns:
        The classifier; None on a worker that is not the chief.

    Raises:
        TextRNNError: The data, the settings or the folder do not allow it.
    """
    config = _chosen(config or ClassifierRunConfig(), cell, settings)
    request = RunRequest(
        config,
        Path(output) if output is not None else default_folder(config.data),
        reporter=reporter or Silent(),
        resume=resume,
        resume_or_start=resume_or_start,
        overwrite=overwrite,
        measure_test=measure_test,
        should_stop=should_stop,
        callbacks=callbacks,
        started=time.monotonic() if started is None else started,
    )
    return _train(request)


def _chosen(
    config: ClassifierRunConfig, cell: type[RNNCell] | str | None, settings: dict[str, Any]
) -> ClassifierRunConfig:
    """The config with single settings replaced, and adopted from a language model."""
    if cell is not None:
        settings["cell"] = cell if isinstance(cell, str) else cell_name(cell)
    if settings:
        config = adopt_shape(config.replace(**settings), given=settings)
    if config.data.dataset is None and config.data.train_file is None:
        config = config.replace(dataset="bbc_news")
    return config


_START, _RESUME, _FINISHED = b"start", b"resume", b"finished"
"""What the chief tells the other workers to do."""


def _train(request: RunRequest) -> TrainedClassifier | None:
    """Checks and locks the folder, has all workers agree, and trains."""
    folder, resume = request.folder, request.resume
    distribution = Distribution.choose(request.config.runtime.strategy)
    if resume and distribution.is_chief and not folder.exists():
        check_started(folder)
    lock = hold(folder) if distribution.is_chief else contextlib.nullcontext()
    with lock, explained(distribution):
        if distribution.is_chief and request.resume_or_start:
            resume = is_started(folder)
            if run_folder.is_complete(folder):
                distribution.broadcast(_FINISHED)
                request.reporter.message(f"{folder} holds the finished run already")
                return run_folder.load(folder)
        if distribution.is_chief:
            check_folder(folder, request.config, resume=resume, overwrite=request.overwrite)
        order = distribution.broadcast(_RESUME if resume else _START)
        if order == _FINISHED:
            return None
        return ClassifierRun(request, distribution, resume=order == _RESUME).train()


def find_learning_rate(
    config: ClassifierRunConfig,
    output: str | Path,
    *,
    reporter: Reporter | None = None,
    overwrite: bool = False,
) -> RangeTest:
    """Makes a learning rate range test; its table and picture are written into a run folder.

    Args:
        config: All settings.
        output: The run folder, into which a training may follow.
        reporter: Receives messages and progress; None: nothing is reported.
        overwrite: Whether a run in the folder may be replaced.

    Raises:
        TextRNNError: The data, the settings or the folder do not allow it, or there are several
            machines.
    """
    distribution = Distribution.choose(config.runtime.strategy)
    reporter, folder = reporter or Silent(), Path(output)
    if distribution.several_machines:
        raise ConfigError("a range test needs one machine; unset TF_CONFIG for it.")
    with hold(folder), explained(distribution):
        check_folder(folder, config, resume=False, overwrite=overwrite)
        request = RunRequest(config, folder, reporter=reporter)
        trainer, _, _ = ClassifierRun(request, distribution).prepare()
        test = find_rate(trainer, seed=config.runtime.seed, reporter=reporter)
        with spared(f"{folder}: the losses were not written", reporter):
            test.write(folder)
        return test
