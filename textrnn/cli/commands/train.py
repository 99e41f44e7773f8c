"""`textrnn train`."""

from __future__ import annotations

import dataclasses
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from textrnn.cli.flags import with_flags
from textrnn.cli.help import SectionedCommand
from textrnn.cli.interrupt import resumable
from textrnn.cli.options import given_settings, merge_settings, setting_options
from textrnn.cli.run_choice import RunChoice, RunOptions, run_options
from textrnn.cli.startup import start_tensorflow
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.inference.run_files import CONFIG, default_name

if TYPE_CHECKING:
    from textrnn.inference.classifier import TrainedClassifier
    from textrnn.progress import Reporter

__all__ = ["train"]


@click.command(cls=SectionedCommand, short_help="Train a classifier on labelled texts.")
@setting_options()
@run_options("runs/DATA SET")
@click.option(
    "--resume-or-start",
    is_flag=True,
    help="Continue the unfinished run in --output if there is one, else start it; for workers and "
    "jobs that are restarted after a failure.",
)
@click.option(
    "--test/--no-test",
    "measure_test",
    default=True,
    help="Measure the classifier on the test data at the end.",
    show_default=True,
)
@click.option(
    "--find-lr",
    is_flag=True,
    help="Do not train: try learning rates from small to large, draw the losses, and suggest a "
    "learning rate.",
)
@click.pass_context
def train(
    context: click.Context,
    /,
    options: RunOptions,
    resume_or_start: bool,
    measure_test: bool,
    find_lr: bool,
    **_: Any,
) -> None:
    """Train a classifier on labelled texts and write it into a run folder.

    Without a data option, the data set is bbc_news, which is bundled (pip install
    'textrnn[demo]').
    """
    if options.resume + resume_or_start + options.overwrite > 1:
        raise click.UsageError("--resume, --resume-or-start and --overwrite exclude each other.")
    started = time.monotonic()
    choice = _choose(context, options)
    if not (options.resume or resume_or_start):
        choice.check_inputs()
    start_tensorflow(choice.config.runtime.device)
    config = _settings(choice, resume=options.resume, resume_or_start=resume_or_start)
    reporter = options.reporter()
    if not (options.config_file or options.resume or "data" in choice.given):
        reporter.message("no data was given: training on bbc_news, which is bundled")
    if find_lr:
        _find_learning_rate(config, choice.folder, options=options, reporter=reporter)
        return
    from textrnn.training.run.classifier import train as run_training
    from textrnn.training.run.faults import WorkerLost

    try:
        with resumable(choice.folder, command="train", message=reporter.message) as should_stop:
            classifier = run_training(
                config,
                choice.folder,
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
    if classifier is not None:  # Only the chief worker has the classifier.
        _print_results(classifier, choice.folder, options=options)


def _choose(context: click.Context, options: RunOptions) -> RunChoice[ClassifierRunConfig]:
    return RunChoice.of(
        ClassifierRunConfig(),
        options,
        given=given_settings(context),
        merge=merge_settings,
        name=lambda config: default_name(config.data.dataset, config.data.train_file),
    )


def _settings(
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
        choice = _with_shape_of_language_model(choice)
    if not resume:
        return choice.config
    if not exists and "TF_CONFIG" in os.environ:
        return choice.config  # Only the chief worker has the run folder, and checks it.
    return choice.resumed()


def _with_shape_of_language_model(
    choice: RunChoice[ClassifierRunConfig],
) -> RunChoice[ClassifierRunConfig]:
    from textrnn.training.run.transfer import FINE_TUNING_DROPOUT, adopt_shape

    chosen = {name for settings in choice.given.values() for name in settings}
    if choice.config_file:
        # The file may be that of another run, whose dropout rates are meant as they are.
        chosen |= FINE_TUNING_DROPOUT.keys()
    return dataclasses.replace(choice, config=adopt_shape(choice.config, given=chosen))


def _find_learning_rate(
    config: ClassifierRunConfig, folder: Path, *, options: RunOptions, reporter: Reporter
) -> None:
    from textrnn.training.run.classifier import find_learning_rate

    range_test = find_learning_rate(config, folder, reporter=reporter, overwrite=options.overwrite)
    options.print_results(
        {"run": str(folder), "learning_rate": range_test.suggestion},
        f"suggestion: --learning-rate {range_test.suggestion:.1e}",
        f"picture {folder / 'find_lr.png'}",
    )


def _start_again() -> NoReturn:
    """Replaces this process by a new one, because its collective operations are unusable."""
    if os.environ.get("TF_CPP_MIN_LOG_LEVEL") == "3":
        del os.environ["TF_CPP_MIN_LOG_LEVEL"]  # This process set it, not the user.
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def _print_results(classifier: TrainedClassifier, folder: Path, *, options: RunOptions) -> None:
    metrics = classifier.metrics
    measured = [(name, metrics[name]) for name in ("validation", "test") if name in metrics]
    options.print_results(
        {"run": str(folder), **metrics},
        *(
            f"{name} accuracy {figures['accuracy']:.2%} "
            f"(macro F1 {figures['macro_f1']:.2%}, {figures['texts']:,} texts)"
            for name, figures in measured
        ),
        f"run folder {folder}",
    )
