"""`textrnn train`."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from textrnn.cli.cluster_training import (
    WorkersOptions,
    several_workers_options,
    train_on_workers,
)
from textrnn.cli.fold_lines import fold_lines
from textrnn.cli.help import SectionedCommand
from textrnn.cli.options import given_settings, merge_settings, setting_options
from textrnn.cli.run_choice import RunChoice, RunOptions, run_options
from textrnn.cli.startup import start_tensorflow
from textrnn.cli.training import print_results, settings_of, trained_run
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.errors import ConfigError
from textrnn.inference.run_files import CONFIG, default_name, load_config
from textrnn.training.search.placement import Placement

if TYPE_CHECKING:
    from textrnn.progress import Reporter
    from textrnn.training.search.folds import Folds
    from textrnn.training.search.runner import Runner

__all__ = ["train"]

_OF_A_FILE = (
    *("text_column", "text_join", "label_column", "delimiter", "encoding"),
    *("group_column", "time_column"),
)
"""The settings that say nothing about the bundled data set."""


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
@click.option(
    "--folds",
    type=click.IntRange(min=2),
    metavar="K",
    help="First train K runs, each without another part of the training data, and measure each on "
    "that part. Their folder is that of --output with _folds at its end. The same command again "
    "continues.",
)
@click.option(
    "--final/--no-final",
    default=True,
    help="With --folds: also train the run on all of the training data.",
    show_default=True,
)
@several_workers_options
@click.pass_context
def train(
    context: click.Context,
    /,
    options: RunOptions,
    on_cluster: WorkersOptions,
    resume_or_start: bool,
    measure_test: bool,
    find_lr: bool,
    folds: int | None,
    final: bool,
    **_: Any,
) -> None:
    """Train a classifier on labelled texts and write it into a run folder.

    Without a data option, the data set is bbc_news, which is bundled (pip install
    'textrnn[demo]').

    With --cluster, workers on a Ray cluster train, and start again from the last checkpoint when
    one of them is lost. With --folds, each trains another fold.
    """
    if options.resume + resume_or_start + options.overwrite > 1:
        raise click.UsageError("--resume, --resume-or-start and --overwrite exclude each other.")
    if folds and (options.resume or find_lr):
        raise click.UsageError(
            "--folds excludes --resume and --find-lr; the same command again continues the folds."
        )
    if not (folds or final):
        raise click.UsageError("--no-final needs --folds.")
    started = time.monotonic()
    choice = _choose(context, options)
    if not (options.config_file or options.resume):
        _check_data(choice.given.get("data", {}))
    if not folds and on_cluster.check():
        if find_lr:
            raise click.UsageError("--cluster excludes --find-lr.")
        _check_strategy(choice.config.runtime.strategy, on_cluster.count)
        train_on_workers(
            context,
            choice,
            on_cluster=on_cluster,
            options=options,
            resume_or_start=resume_or_start,
        )
        return
    if not (options.resume or resume_or_start):
        choice.check_inputs()
    start_tensorflow(choice.config.runtime.device)
    config = settings_of(choice, resume=options.resume, resume_or_start=resume_or_start)
    reporter = options.reporter()
    if not (options.config_file or options.resume or "data" in choice.given):
        reporter.message("no data was given: training on bbc_news, which is bundled")
    if find_lr:
        _find_learning_rate(config, choice.folder, options=options, reporter=reporter)
        return
    measured = None
    if folds:
        placement = Placement(on_cluster.cluster, on_cluster.worker_cores, on_cluster.workers)
        with placement.runner(config, say=reporter.message) as runner:
            measured = _train_folds(
                config, choice.folder, folds, options=options, reporter=reporter, runner=runner
            )
        resume_or_start, started = not options.overwrite, time.monotonic()
    if measured is not None and not final:
        options.print_results({"folds": measured.to_dict()}, *fold_lines(measured))
        return
    classifier = trained_run(
        config,
        choice.folder,
        options=options,
        reporter=reporter,
        resume_or_start=resume_or_start,
        measure_test=measure_test,
        started=started,
    )
    if classifier is not None:  # Only the chief worker has the classifier.
        print_results(classifier, choice.folder, options=options, folds=measured)


def _check_data(given: Mapping[str, Any]) -> None:
    """Raises click.UsageError if options describe a file that no option names.

    Args:
        given: The settings of the data that the user typed.
    """
    described = [name for name in given if name in _OF_A_FILE]
    if described and not {"train_file", "dataset"} & set(given):
        flag = f"--{described[0].replace('_', '-')}"
        raise click.UsageError(f"{flag} is about a file; name the training data by --train-file.")


def _check_strategy(strategy: str, workers: int) -> None:
    """Raises ConfigError if several workers cannot train by a strategy."""
    if workers > 1 and strategy not in ("auto", "multiworker"):
        raise ConfigError(
            f"several `workers` train by the `strategy` multiworker, got {strategy}; leave it out, "
            "or train with one worker."
        )


def _choose(context: click.Context, options: RunOptions) -> RunChoice[ClassifierRunConfig]:
    return RunChoice.of(
        ClassifierRunConfig(),
        options,
        given=given_settings(context),
        merge=merge_settings,
        name=lambda config: default_name(config.data.dataset, config.data.train_file),
    )


def _train_folds(
    config: ClassifierRunConfig,
    folder: Path,
    count: int,
    *,
    options: RunOptions,
    reporter: Reporter,
    runner: Runner,
) -> Folds:
    """Trains and measures the folds, after a check of the folder of the run that follows."""
    from textrnn.training.run.folder import check_folder
    from textrnn.training.search.folds import train_folds

    if "TF_CONFIG" in os.environ:
        raise ConfigError("--folds trains on one machine; unset TF_CONFIG.")
    continues = (folder / CONFIG).is_file() and _continues(config, folder)
    if options.overwrite or not continues:
        check_folder(folder, config, resume=False, overwrite=options.overwrite)
    output = folder.with_name(f"{folder.name}_folds")
    return train_folds(
        config,
        output,
        count=count,
        reporter=reporter,
        overwrite=options.overwrite,
        runner=runner,
    )


def _continues(config: ClassifierRunConfig, folder: Path) -> bool:
    """Returns whether the run in a folder has these settings."""
    stored = load_config(folder / CONFIG)
    return config.with_choices_of(stored).resumes(stored)


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
