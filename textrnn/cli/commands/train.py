"""`textrnn train`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from textrnn.cli.help import SectionedCommand
from textrnn.cli.options import given_settings, merge_settings, setting_options
from textrnn.cli.run_choice import RunChoice, RunOptions, run_options
from textrnn.cli.startup import start_tensorflow
from textrnn.cli.training import settings_of, train_run
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.inference.run_files import default_name

if TYPE_CHECKING:
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
    config = settings_of(choice, resume=options.resume, resume_or_start=resume_or_start)
    reporter = options.reporter()
    if not (options.config_file or options.resume or "data" in choice.given):
        reporter.message("no data was given: training on bbc_news, which is bundled")
    if find_lr:
        _find_learning_rate(config, choice.folder, options=options, reporter=reporter)
        return
    train_run(
        config,
        choice.folder,
        options=options,
        reporter=reporter,
        resume_or_start=resume_or_start,
        measure_test=measure_test,
        started=started,
    )


def _choose(context: click.Context, options: RunOptions) -> RunChoice[ClassifierRunConfig]:
    return RunChoice.of(
        ClassifierRunConfig(),
        options,
        given=given_settings(context),
        merge=merge_settings,
        name=lambda config: default_name(config.data.dataset, config.data.train_file),
    )


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
