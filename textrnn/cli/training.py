"""The training that a command carries out, from its choices to the printed results."""

from __future__ import annotations

import dataclasses
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from textrnn.cli.flags import with_flags
from textrnn.cli.fold_lines import fold_lines
from textrnn.cli.interrupt import resumable
from textrnn.cli.next_commands import classifier_commands, print_next
from textrnn.cli.run_choice import RunChoice, RunOptions
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.inference.run_files import CONFIG

if TYPE_CHECKING:
    from textrnn.inference.classifier import TrainedClassifier
    from textrnn.progress import Reporter
    from textrnn.training.search.folds import Folds

__all__ = ["print_results", "settings_of", "train_run", "trained_run"]


def settings_of(
    choice: RunChoice[ClassifierRunConfig], *, resume: bool, resume_or_start: bool
) -> ClassifierRunConfig:
    """Returns the settings to train with; a run that resumes has its own.

    Raises:
        ConfigError: A setting differs from that of the run or of the language model.
        ModelError: There is no run to resume, or no language model to start from.
    """
    exists = (choice.folder / CONFIG).is_file()
    init_from = choice.config.start.init_from
    if init_from and resume_or_start and not (Path(init_from) / CONFIG).is_file():
        resume = exists  # A run that has begun no longer needs its language model.
    if init_from and (choice.config_file or not resume):
        choice = _with_shape_of_start(choice)
    if not resume:
        return choice.config
    if not exists and "TF_CONFIG" in os.environ:
        return choice.config  # Only the chief worker has the run folder, and checks it.
    return choice.resumed()


def _with_shape_of_start(
    choice: RunChoice[ClassifierRunConfig],
) -> RunChoice[ClassifierRunConfig]:
    from textrnn.training.run.transfer import FINE_TUNING_DROPOUT, adopt_shape

    chosen = {name for settings in choice.given.values() for name in settings}
    if choice.config_file:
        # The file may be that of another run, whose dropout rates are meant as they are.
        chosen |= FINE_TUNING_DROPOUT.keys()
    return dataclasses.replace(choice, config=adopt_shape(choice.config, given=chosen))


def train_run(
    config: ClassifierRunConfig,
    folder: Path,
    *,
    options: RunOptions,
    reporter: Reporter,
    started: float,
) -> None:
    """Trains a classifier and prints its results; see `trained_run`."""
    classifier = trained_run(config, folder, options=options, reporter=reporter, started=started)
    if classifier is not None:  # Only the chief worker has the classifier.
        print_results(classifier, folder, options=options)


def trained_run(
    config: ClassifierRunConfig,
    folder: Path,
    *,
    options: RunOptions,
    reporter: Reporter,
    started: float,
    resume_or_start: bool = False,
    measure_test: bool = True,
) -> TrainedClassifier | None:
    """Trains a classifier; an interruption says how to resume.

    Args:
        config: All settings.
        folder: The run folder.
        options: The options of the run.
        reporter: Receives messages and progress.
        started: The start of the time budget, by `time.monotonic`.
        resume_or_start: Whether to continue if there is a checkpoint.
        measure_test: Whether to measure the test data.
    """
    from textrnn.training.run.classifier import train as run_training
    from textrnn.training.run.faults import WorkerLost

    try:
        with resumable(folder, command="train", message=reporter.message) as should_stop:
            return run_training(
                config,
                folder,
                reporter=reporter,
                resume=options.resume,
                resume_or_start=resume_or_start,
                overwrite=options.overwrite,
                measure_test=measure_test,
                should_stop=should_stop,
                started=started,
            )
    except WorkerLost as error:
        if not resume_or_start:
            raise
        reporter.message(f"{with_flags(error)} Starting this one again.")
        _start_again()


def _start_again() -> NoReturn:
    """Replaces this process by a new one, because its collective operations are unusable."""
    if os.environ.get("TF_CPP_MIN_LOG_LEVEL") == "3":
        del os.environ["TF_CPP_MIN_LOG_LEVEL"]  # This process set it, not the user.
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def print_results(
    classifier: TrainedClassifier, folder: Path, *, options: RunOptions, folds: Folds | None = None
) -> None:
    """Prints the figures of a run, and the next commands.

    Args:
        classifier: The classifier.
        folder: The run folder.
        options: The options of the run.
        folds: The figures of the folds, if they were measured before.
    """
    from textrnn.analysis.statistics import accuracy_of

    metrics = classifier.metrics
    measured = [(name, metrics[name]) for name in ("validation", "test") if name in metrics]
    options.print_results(
        {"run": str(folder), **metrics, **({"folds": folds.to_dict()} if folds else {})},
        *(fold_lines(folds) if folds else ()),
        *(
            f"{name} accuracy {figures['accuracy']:.2%} "
            f"(95 % interval {interval.low:.2%} to {interval.high:.2%}; "
            f"macro F1 {figures['macro_f1']:.2%}, {figures['texts']:,} texts)"
            for name, figures in measured
            for interval in [accuracy_of(figures)]
        ),
        f"run folder {folder}",
    )
    print_next(classifier_commands(folder, tested="test" in metrics), options=options)
