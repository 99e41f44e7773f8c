"""`textrnn train`."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import click

from textrnn.cli.help import SectionedCommand
from textrnn.cli.interrupt import interrupt_once
from textrnn.cli.options import (
    check_inputs,
    given_settings,
    merge_settings,
    run_options,
    setting_options,
)
from textrnn.cli.startup import start_tensorflow
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.data import DataConfig
from textrnn.errors import ConfigError
from textrnn.inference.run_files import load_config

__all__ = ["train"]


@click.command(cls=SectionedCommand)
@setting_options()
@run_options("runs/DATA SET")
@click.option(
    "--resume-or-start",
    is_flag=True,
    help="Go on with the unfinished run in --output if there is one, else begin it; for workers "
    "and jobs that are started again after a failure.",
)
@click.option(
    "--test/--no-test",
    "measure_test",
    default=True,
    help="Measure the test data at the end.",
    show_default=True,
)
@click.option(
    "--find-lr",
    is_flag=True,
    help="Do not train: try learning rates from small to large, draw the losses, suggest one.",
)
@click.pass_context
def train(
    context: click.Context,
    /,
    config_file: Path | None,
    output: Path | None,
    resume: bool,
    resume_or_start: bool,
    overwrite: bool,
    measure_test: bool,
    find_lr: bool,
    log_format: str,
    as_json: bool,
    **_: Any,
) -> None:
    """Train a classifier into a run folder.

    With no data option it trains on bbc_news, which is bundled (pip install 'textrnn[demo]').
    """
    if resume + resume_or_start + overwrite > 1:
        raise click.UsageError("--resume, --resume-or-start and --overwrite exclude each other.")
    started = time.monotonic()
    # What can be wrong with the options is found before TensorFlow is waited for.
    _check(context, config_file, resume=resume or resume_or_start)
    start_tensorflow()
    from textrnn.messages.json_lines import JsonReporter
    from textrnn.messages.terminal import TerminalReporter
    from textrnn.training.run.classifier import find_learning_rate
    from textrnn.training.run.classifier import train as run_training
    from textrnn.training.run.faults import WorkerLost
    from textrnn.training.run.folder import is_started

    config, folder = _settings(
        context,
        config_file=config_file,
        output=output,
        resume=resume,
        resume_or_start=resume_or_start,
    )
    reporter = JsonReporter() if log_format == "json" else TerminalReporter()
    if not (config_file or resume or "data" in given_settings(context, ClassifierRunConfig)):
        reporter.message("no data was given: training on bbc_news, which is bundled")
    if find_lr:
        found = find_learning_rate(config, folder, reporter=reporter, overwrite=overwrite)
        if as_json:
            click.echo(json.dumps({"run": str(folder), "learning_rate": found.suggestion}))
        else:
            click.echo(f"suggestion: --learning-rate {found.suggestion:.1e}")
            click.echo(f"picture {folder / 'find_lr.png'}")
        return
    try:
        with interrupt_once(reporter.message) as should_stop:
            classifier = run_training(
                config,
                folder,
                reporter=reporter,
                resume=resume,
                resume_or_start=resume_or_start,
                overwrite=overwrite,
                measure_test=measure_test,
                should_stop=should_stop,
                started=started,
            )
    except WorkerLost as error:
        if not resume_or_start:
            raise
        reporter.message(f"{error} Starting this one again.")
        # The collective operations of this process cannot be used again: a new one takes over.
        if os.environ.get("TF_CPP_MIN_LOG_LEVEL") == "3":
            del os.environ["TF_CPP_MIN_LOG_LEVEL"]  # It was set by this one.
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
    except KeyboardInterrupt:
        if is_started(folder):
            reporter.message(f"saved; go on with: textrnn train --resume --output {folder}")
        raise
    if classifier is None:  # Not the chief.
        return
    if as_json:
        click.echo(json.dumps({"run": str(folder), **classifier.metrics}))
        return
    for which in ("validation", "test"):
        if which in classifier.metrics:
            measured = classifier.metrics[which]
            click.echo(
                f"{which} accuracy {measured['accuracy']:.2%} "
                f"(macro F1 {measured['macro_f1']:.2%}, {measured['texts']:,} texts)"
            )
    click.echo(f"run folder {folder}")


def _check(context: click.Context, config_file: Path | None, *, resume: bool) -> None:
    """Raises what the settings and their paths alone show to be wrong."""
    given = given_settings(context, ClassifierRunConfig)
    if resume and not given and config_file is None:
        return
    config = load_config(config_file) if config_file else ClassifierRunConfig()
    config = merge_settings(config, given)
    if not resume:  # A run that has begun needs its language model no more.
        check_inputs(config, given, source=str(config_file or ""))


def _settings(
    context: click.Context,
    *,
    config_file: Path | None,
    output: Path | None,
    resume: bool,
    resume_or_start: bool,
) -> tuple[ClassifierRunConfig, Path]:
    """The run's settings and its folder; to resume is to take the settings found there."""
    from textrnn.inference import run_folder
    from textrnn.training.run.folder import check_started

    given = given_settings(context, ClassifierRunConfig)
    config = run_folder.load_config(config_file) if config_file else ClassifierRunConfig()
    config = merge_settings(config, given)
    folder = output or Path("runs") / _run_name(config.data)
    init_from = config.start.init_from
    if init_from and resume_or_start and not (Path(init_from) / run_folder.CONFIG).is_file():
        # What has begun needs its language model no more.
        resume = (folder / run_folder.CONFIG).is_file()
    if init_from and (config_file or not resume):
        from textrnn.training.run.transfer import FINE_TUNING_DROPOUT, adopt_shape

        chosen = {name for own in given.values() for name in own}
        # A file may be another run's, whose dropouts are as they were meant.
        config = adopt_shape(
            config, given=chosen | (FINE_TUNING_DROPOUT.keys() if config_file else set())
        )
    if not resume:
        return config, folder
    if not (folder / run_folder.CONFIG).is_file() and "TF_CONFIG" in os.environ:
        return config, folder  # The chief of the cluster knows.
    if not (folder / run_folder.CONFIG).is_file():
        check_started(folder)
    own = run_folder.load_config(folder / run_folder.CONFIG)
    going_on = merge_settings(own, given)
    if not going_on.resumes(own) or (config_file and not config.resumes(own)):
        raise ConfigError(
            "a run resumes with its own settings; leave out the options that differ from "
            f"{folder / run_folder.CONFIG}, or train anew with --overwrite."
        )
    return going_on, folder


def _run_name(data: DataConfig) -> str:
    from textrnn.data.text_files import stem

    if data.train_file is not None:
        return stem(data.train_file)
    return str(data.dataset).replace("/", "_").replace(":", "_")
