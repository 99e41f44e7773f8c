"""`textrnn distil`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from textrnn.cli.help import SectionedCommand
from textrnn.cli.options import given_settings, merge_settings, setting_options
from textrnn.cli.run_choice import RunChoice, RunOptions, run_options
from textrnn.cli.startup import start_tensorflow
from textrnn.cli.training import settings_of, train_run
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.section import listed_names
from textrnn.config.training import DistillationConfig
from textrnn.inference.run_files import CONFIG, check_finished, default_name, load_config

__all__ = ["distil"]


@click.command(cls=SectionedCommand, short_help="Teach the answers of several runs to one run.")
@click.argument("runs", nargs=-1, required=True, metavar="TEACHER...")
@setting_options()
@run_options("runs/DATA SET_student")
@click.pass_context
def distil(context: click.Context, /, runs: tuple[str, ...], options: RunOptions, **_: Any) -> None:
    """Train a classifier on the mean answer of TEACHERs, run folders of trained classifiers.

    The student's data is that of the first TEACHER, and its other settings are the defaults of
    `textrnn train`, unless options say otherwise. It learns most from texts without labels
    (--unlabelled, --unlabelled-file), which only the teachers answer. --linear-teacher adds a
    linear model of word pairs to the teachers.
    """
    if options.resume and options.overwrite:
        raise click.UsageError("--resume and --overwrite exclude each other.")
    started = time.monotonic()
    given = given_settings(context)
    more = listed_names(given.get("distillation", {}).get("teachers"))
    for run in runs:
        if "," in run:
            raise click.UsageError(f"a TEACHER must be a path without a comma, got {run!r}.")
    teachers = DistillationConfig(teachers=",".join([*runs, *more]))
    given["distillation"] = {**given.get("distillation", {}), "teachers": teachers.teachers}
    for run in teachers.runs:
        check_finished(run)
    first = load_config(Path(runs[0]) / CONFIG)
    choice = RunChoice.of(
        ClassifierRunConfig(data=first.data, task=first.task, distillation=teachers),
        options,
        given=given,
        merge=merge_settings,
        name=lambda config: f"{default_name(config.data.dataset, config.data.train_file)}_student",
    )
    if not options.resume:
        choice.check_inputs()
    start_tensorflow(choice.config.runtime.device)
    config = settings_of(choice, resume=options.resume, resume_or_start=False)
    train_run(config, choice.folder, options=options, reporter=options.reporter(), started=started)
