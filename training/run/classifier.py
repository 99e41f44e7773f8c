"""The training of a classifier from its settings to a finished run folder."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data.loading import Source
from textrnn.errors import ConfigError
from textrnn.inference import run_folder
from textrnn.inference.classifier import TrainedClassifier
from textrnn.inference.own_cell import import_cell, with_names
from textrnn.layers.cells import RNNCell
from textrnn.progress import Reporter, Silent
from textrnn.training.devices.device import choose_distribution, choose_precision
from textrnn.training.devices.strategy import Distribution
from textrnn.training.loop.range_test import RangeTest, find_rate
from textrnn.training.run.classifier_run import ClassifierRun
from textrnn.training.run.faults import explain_faults, warn_on_failure
from textrnn.training.run.folder import (
    check_folder,
    check_started,
    default_folder,
    hold,
    is_started,
)
from textrnn.training.run.request import RunRequest
from textrnn.training.run.transfer import adopt_shape, with_run

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
    source: Source | None = None,
    keep_data: bool = False,
    **settings: Any,
) -> TrainedClassifier | None:
    """Trains a classifier into a run folder; the test data is measured once, after training.

    Example:
        textrnn.train(train_file="reviews.csv", cell=MyCell, epochs=3, output="runs/reviews")

    Args:
        config: All settings; None: the defaults.
        output: The run folder; None: `runs/` and the name of the data. Of several workers, only the
            chief reads and writes it.
        cell: The name of a cell, or a cell class that is registered with Keras. The name of its
            module becomes the setting `imports`, so that any process can load the run.
        reporter: Receives messages and progress; None: nothing is reported.
        resume: Whether to continue from the checkpoint in the folder, with the same settings.
        resume_or_start: Whether to continue if there is a checkpoint; a finished run is loaded.
        overwrite: Whether a run in the folder may be replaced.
        measure_test: Whether to measure the test data.
        should_stop: Called at each update; True saves a checkpoint and raises KeyboardInterrupt.
        callbacks: Keras callbacks; `on_train_batch_begin` may change the learning rate.
        started: The start of the time budget, by `time.monotonic`; None: now.
        source: The source of the data; None: the one that the settings name.
        keep_data: Whether the run folder keeps the texts of the source.
        **settings: Single settings that replace those of `config`, such as `epochs`. With
            `init_from`, a run folder or a trained model, the settings that the weights depend on
            are those of that run.

    Returns:
        The classifier; None on a worker that is not the chief.

    Raises:
        TextRNNError: The data or the settings are wrong, or the folder is in use.
    """
    if cell is not None:
        settings = with_names({**settings, "cell": cell})
    config = _complete(config or ClassifierRunConfig(), settings)
    import_cell(config.model)
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
        source=source,
        keep_data=keep_data,
    )
    return _train(request)


def _complete(config: ClassifierRunConfig, settings: dict[str, Any]) -> ClassifierRunConfig:
    """Returns the config with the single settings, those of a language model, and a data set.

    Raises:
        ConfigError: `config` is something else, or a setting is wrong.
    """
    if not isinstance(config, ClassifierRunConfig):
        raise ConfigError(
            f"`config` must be a ClassifierRunConfig, got {config!r}; name data by `train_file` or "
            "`dataset`."
        )
    if settings:
        config = adopt_shape(config.replace(**with_run(settings)), given=settings)
    if config.data.dataset is None and config.data.train_file is None:
        config = config.replace(dataset="bbc_news")
    return config


_START, _RESUME, _FINISHED = b"start", b"resume", b"finished"
"""The orders of the chief to the other workers."""


def _train(request: RunRequest) -> TrainedClassifier | None:
    """Checks and locks the folder, broadcasts whether to resume, and trains."""
    folder, resume = request.folder, request.resume
    distribution = _distribution(request.config)
    if resume and distribution.is_chief and not folder.exists():
        check_started(folder)
    lock = hold(folder) if distribution.is_chief else contextlib.nullcontext()
    with lock, explain_faults(distribution):
        if distribution.is_chief and request.resume_or_start:
            resume = is_started(folder)
            if run_folder.is_complete(folder):
                distribution.broadcast(_FINISHED)
                request.reporter.message(f"{folder} already contains the finished run")
                return run_folder.load(folder)
        if distribution.is_chief:
            check_folder(folder, request.config, resume=resume, overwrite=request.overwrite)
        order = distribution.broadcast(_RESUME if resume else _START)
        if order == _FINISHED:
            return None
        resume = order == _RESUME
        config = _with_choices(request, distribution, resume=resume)
        request = dataclasses.replace(request, config=config)
        return ClassifierRun(request, distribution, resume=resume).train()


def _with_choices(
    request: RunRequest, distribution: Distribution, *, resume: bool
) -> ClassifierRunConfig:
    """Returns the settings with what the device decides; an interrupted run keeps its choices.

    The size of a batch is still open where it must be measured. All workers use the chief's values.
    """
    config = request.config
    if distribution.is_chief and resume:
        path = request.folder / run_folder.CONFIG
        config = config.with_choices_of(run_folder.read_settings(path, type(config)))
    choices = {
        "precision": choose_precision(config.runtime.precision),
        "batch_tokens": config.batches.batch_tokens,
    }
    choices = json.loads(distribution.broadcast(json.dumps(choices).encode()))
    return config.replace(**choices)


def _distribution(config: ClassifierRunConfig) -> Distribution:
    return choose_distribution(config.runtime, strategy=config.runtime.strategy)


def find_learning_rate(
    config: ClassifierRunConfig,
    output: str | Path,
    *,
    reporter: Reporter | None = None,
    overwrite: bool = False,
) -> RangeTest:
    """Runs a learning rate range test and writes its table and picture into a run folder.

    Args:
        config: All settings.
        output: The run folder. A later training may use the same folder.
        reporter: Receives messages and progress; None: nothing is reported.
        overwrite: Whether a run in the folder may be replaced.

    Returns:
        The learning rates with their losses, and the suggestion.

    Raises:
        TextRNNError: The data or the settings are wrong, the folder is in use, or there are several
            machines.
    """
    import_cell(config.model)
    distribution = _distribution(config)
    reporter, folder = reporter or Silent(), Path(output)
    if distribution.several_machines:
        raise ConfigError("a range test needs one machine; unset TF_CONFIG for it.")
    with hold(folder), explain_faults(distribution):
        check_folder(folder, config, resume=False, overwrite=overwrite)
        request = RunRequest(config, folder, reporter=reporter)
        config = _with_choices(request, distribution, resume=False)
        request = dataclasses.replace(request, config=config)
        trainer, _ = ClassifierRun(request, distribution).prepare()
        test = find_rate(trainer, seed=config.runtime.seed, reporter=reporter)
        with warn_on_failure(f"{folder}: the losses were not written", reporter):
            test.write(folder)
        return test
