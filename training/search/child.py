"""Trains a run in another process, so that a failure does not end the search."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from textrnn.host.atomic import write_atomically
from textrnn.host.parent_watch import watched_command
from textrnn.host.threads import with_cores
from textrnn.training.run.lock import wait_until_free

__all__ = ["Ended", "TrainChild", "Training", "carry_out", "read_record", "train_child"]

STOPPING_SECONDS = 120.0
"""Time that an interrupted training gets to write its checkpoint."""

FREE_SECONDS = 1.5 * STOPPING_SECONDS
"""Time after which the process of an earlier attempt must have ended."""

MOST_TRIES = 3
"""The number of processes of one training, of which all but the last were killed."""

_KILLED = -9
"""The exit code of a process that SIGKILL has ended, as the system does if memory is short."""


class Ended(NamedTuple):
    """The end of a training.

    Attributes:
        code: The exit code of the process; 0: the run is finished.
        seconds: Its wall time.
    """

    code: int
    seconds: float


@dataclass(frozen=True)
class Training:
    """A run that is trained in another process.

    Attributes:
        config: The file of settings.
        run: The run folder. A run in it is continued; a finished one is not trained again.
        log: The file to which the output of the process is appended.
        options: More options of `textrnn train`.
        record: The file that gets the end of the training, which is then not repeated even if it
            has failed; None: no file.
    """

    config: Path
    run: Path
    log: Path
    options: tuple[str, ...] = ()
    record: Path | None = None


class TrainChild(Protocol):
    """Trains a run in another process; see `train_child`."""

    def __call__(self, config: Path, run: Path, *, log: Path, options: Sequence[str]) -> int:
        """Returns the exit code of the process."""
        ...


def train_child(
    config: Path, run: Path, *, log: Path, options: Sequence[str], cores: int | None = None
) -> int:
    """Trains a run by `textrnn train` in another process and waits for its end.

    An interruption reaches the process as well, which then saves a checkpoint. If this process
    ends in any way, so does the other one: it reads a pipe, whose end it sees.

    Args:
        config: The file of settings.
        run: The run folder.
        log: File to which the output of the process is appended.
        options: More options of `textrnn train`.
        cores: The number of cores that the process uses; None: all.

    Returns:
        The exit code of the process; negative if a signal has ended it.

    Raises:
        KeyboardInterrupt: The user interrupted the training; the process has ended.
    """
    arguments = ["train", *options, "--config", str(config), "--output", str(run)]
    command = watched_command("textrnn", arguments, grace=STOPPING_SECONDS)
    environment = None if cores is None else with_cores(os.environ, cores)
    with (
        log.open("a", encoding="utf-8") as file,
        subprocess.Popen(
            command, stdout=file, stderr=file, stdin=subprocess.PIPE, env=environment
        ) as process,
    ):
        try:
            return process.wait()
        except KeyboardInterrupt:
            try:
                process.wait(STOPPING_SECONDS)
            except (KeyboardInterrupt, subprocess.TimeoutExpired):
                process.terminate()
            raise


def carry_out(training: Training, train: TrainChild) -> Ended:
    """Carries out a training, unless its record says that it has ended.

    If the process is killed, another one continues from its last checkpoint.

    Args:
        training: The training.
        train: Trains the run in another process.

    Raises:
        ConfigError: A process of an earlier attempt still trains the run.
    """
    # The process of an attempt that was lost may still write its checkpoint, and then ends.
    wait_until_free(training.run, seconds=FREE_SECONDS)
    record = training.record
    if record is not None and (known := read_record(record)) is not None:
        return known
    begin = time.monotonic()
    for _ in range(MOST_TRIES):
        code = train(training.config, training.run, log=training.log, options=training.options)
        if code != _KILLED:
            break
    ended = Ended(code, time.monotonic() - begin)
    if record is not None:
        write_atomically(record, json.dumps(ended._asdict()) + "\n")
    return ended


def read_record(path: Path) -> Ended | None:
    """Returns the end of a training that its record has; None if there is no record."""
    if not path.is_file():
        return None
    return Ended(**json.loads(path.read_text(encoding="utf-8")))
