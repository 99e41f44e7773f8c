"""Lets the workers of a cluster carry out the command that the user typed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from textrnn.cli.cluster_option import cluster_option
from textrnn.cli.help import ARGUMENTS
from textrnn.cli.option_group import OptionGroup
from textrnn.cli.run_choice import RunChoice, RunOptions
from textrnn.cluster.connection import check_address
from textrnn.cluster.job import GivenFlag, RunState, TrainingJob
from textrnn.cluster.training_worker import THREADS
from textrnn.errors import ConfigError
from textrnn.inference.run_files import (
    CHECKPOINTS,
    CONFIG,
    LOCK,
    METRICS,
    check_replaceable,
    is_complete,
)

if TYPE_CHECKING:
    from textrnn.messages.terminal import TerminalReporter

__all__ = [
    "ClusterOptions",
    "WorkersOptions",
    "one_worker_options",
    "run_state",
    "several_workers_options",
    "show_event",
    "train_on_workers",
    "training_job",
]

_REPLACED = (
    *("--cluster", "--workers", "--worker-cores", "--output", "--log-format"),
    *("--resume", "--resume-or-start", "--overwrite"),
)
"""The options of the command that each start of a worker gets anew, or not at all."""

_PASSED_ON = ("TEXTRNN_", "TF_", "KERAS_", "XLA_")
"""The variables of the environment that the workers get, besides the numbers of threads: those that
change the result of a training, or say where it finds its data."""


@dataclass(frozen=True)
class ClusterOptions:
    """The values of the options of a training that one worker of a cluster makes.

    Attributes:
        cluster: The address of the cluster; None: train in this process.
        worker_cores: The cores that Ray reserves for each worker; None: an equal share.
    """

    cluster: str | None = None
    worker_cores: int | None = None

    @property
    def count(self) -> int:
        """The number of workers."""
        return 1

    def check(self) -> bool:
        """Returns whether a cluster trains.

        Raises:
            click.UsageError: An option needs `--cluster`.
            ConfigError: The address is none, or this process is a worker itself.
        """
        if self.cluster is None:
            if self != type(self)():
                raise click.UsageError(
                    "--workers and --worker-cores need --cluster, or --folds of `textrnn train`."
                )
            return False
        check_address(self.cluster)
        if "TF_CONFIG" in os.environ:
            raise ConfigError(
                "`cluster` makes TF_CONFIG for each worker, got one in the environment; unset it."
            )
        return True


@dataclass(frozen=True)
class WorkersOptions(ClusterOptions):
    """The values of the options of a training that several workers of a cluster make together.

    Attributes:
        workers: The number of workers; None: 1.
    """

    workers: int | None = None

    @property
    def count(self) -> int:
        """The number of workers."""
        return self.workers or 1


_WORKER_CORES = click.option(
    "--worker-cores",
    type=click.IntRange(min=1),
    metavar="COUNT",
    help="With --cluster: the cores that Ray reserves for each worker. With --folds: the cores "
    "that each fold uses; its last bits depend on them.  [default: an equal share of all cores; "
    "for folds on a cluster, 1]",
)

one_worker_options = OptionGroup(ClusterOptions, cluster_option, _WORKER_CORES, name="on_cluster")
"""The options of a command that trains on one device."""

several_workers_options = OptionGroup(
    WorkersOptions,
    cluster_option,
    click.option(
        "--workers",
        type=click.IntRange(min=1),
        metavar="COUNT",
        help="With --cluster: the number of workers that train together, on different machines as "
        "far as there is room; with --folds, those that train folds.  [default: 1; for folds, as "
        "many as there is room for]",
    ),
    _WORKER_CORES,
    name="on_cluster",
)
"""The options of a command that several workers can carry out together."""


def train_on_workers(
    context: click.Context,
    choice: RunChoice[Any],
    *,
    on_cluster: ClusterOptions,
    options: RunOptions,
    resume_or_start: bool = False,
) -> None:
    """Trains by the command of a context on the workers of a cluster, and prints the results.

    Args:
        context: The context of the command.
        choice: The settings and the folder of the run.
        on_cluster: The cluster, and the workers.
        options: The options of the run.
        resume_or_start: Whether to continue the run in the folder, if there is one.

    Raises:
        TextRNNError: There is no cluster, it is too small, or a worker failed.
    """
    from textrnn.cluster.training import train_on_cluster
    from textrnn.cluster.worker_group import Room

    given: GivenFlag = "resume_or_start" if resume_or_start else ""
    given = "resume" if options.resume else "overwrite" if options.overwrite else given
    if not str(on_cluster.cluster).startswith("ray://"):  # It leads to other machines.
        if not given.startswith("resume"):
            choice.check_inputs()
        if not resume_or_start:
            check_replaceable(choice.folder, resume=options.resume, overwrite=options.overwrite)
    training = training_job(context, folder=choice.folder, given=given, environment=os.environ)
    reporter = options.reporter()
    use_gpus = choice.config.runtime.device != "cpu"
    room = Room(on_cluster.count, on_cluster.worker_cores, use_gpus)

    def say(event: Mapping[str, Any]) -> None:
        show_event(event, reporter)

    try:
        shown = train_on_cluster(training, room, cluster=str(on_cluster.cluster), say=say)
    except KeyboardInterrupt:
        reporter.message("note: the same command with --resume continues this training.")
        raise
    if not shown:
        folder = Path(training.folder)
        reporter.message(f"{folder}: the run was finished when its worker was lost")
        written = folder / METRICS  # It is on another machine if this one is not of the cluster.
        metrics = json.loads(written.read_text(encoding="utf-8")) if written.is_file() else {}
        options.print_results({"run": str(folder), **metrics}, f"run folder {folder}")


def training_job(
    context: click.Context, *, folder: Path, given: GivenFlag, environment: Mapping[str, str]
) -> TrainingJob:
    """Returns the job that does what the command of a context does.

    Args:
        context: The context of the command, which has its arguments.
        folder: The run folder.
        given: What the user wants to happen to a run that is in it.
        environment: The environment of the command.
    """
    arguments = _without(context.command, context.meta[ARGUMENTS], _REPLACED)
    passed = {
        name: value
        for name, value in environment.items()
        if name.startswith(_PASSED_ON) or name in THREADS
    }
    return TrainingJob(
        [
            *(str(context.info_name), *arguments),
            *("--output", str(folder), "--log-format", "json"),
        ],
        given=given,
        home=os.getcwd(),
        folder=str(folder),
        environment=passed,
        look=run_state,
        lock=LOCK,
    )


def _without(
    command: click.Command, arguments: Sequence[str], left_out: Sequence[str]
) -> Iterator[str]:
    """Yields the arguments of a command without some options and their values."""
    with_value = {
        name
        for param in command.params
        if isinstance(param, click.Option) and not (param.is_flag or param.count)
        for name in param.opts
    }
    words = iter(arguments)
    for word in words:
        name = word.partition("=")[0]
        kept = [word, *([next(words, "")] if word in with_value else [])]
        if name not in left_out:
            yield from kept


def run_state(folder: str) -> RunState:
    """Returns how far the run in a folder is."""
    path = Path(folder)
    saved = sorted((path / CHECKPOINTS).glob("update-*.npz"))
    settings = ""
    if (path / CONFIG).is_file():
        status = (path / CONFIG).stat()
        settings = f"{status.st_ino}-{status.st_mtime_ns}"
    return RunState(
        settings=settings,
        updates=int(saved[-1].stem.partition("-")[2]) if saved else None,
        complete=is_complete(path),
    )


def show_event(event: Mapping[str, Any], reporter: TerminalReporter) -> None:
    """Shows an event of the chief as if it came from this process.

    Args:
        event: An event of `JsonReporter`, or a line of the results as the event `result`.
        reporter: Receives messages and progress.
    """
    values = dict(event)
    kind = values.pop("event", "")
    values.pop("time", None)
    if kind == "result":
        click.echo(values["text"])
    elif kind == "message":
        reporter.message(values["text"])
    elif kind == "epoch":
        reporter.epoch(values)
    elif kind == "progress":
        left = values.pop("seconds_left")
        name = values.pop("step")
        reporter.progress(name, values["done"], values["total"], left, values["text"])
