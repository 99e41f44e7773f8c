"""Where the trainings of a search are carried out: on this machine, or on a cluster."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

from textrnn.cluster.connection import check_address, check_installed, connected
from textrnn.cluster.tasks import MOST_LOSSES, Tasks
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.errors import ConfigError
from textrnn.messages.wording import counted
from textrnn.training.search.child import Ended, Training, carry_out, train_child
from textrnn.training.search.runner import OneByOne, Runner

__all__ = ["ClusterRunner", "Placement"]

_LOST = -9
"""The code of a training whose workers were lost: that of a process that was killed."""


@dataclass(frozen=True)
class Placement:
    """Where trainings are carried out.

    Attributes:
        cluster: The address of a Ray cluster; None: this machine, one training after the other.
        worker_cores: The number of cores that each training uses; None: 1 on a cluster, else all.
        workers: The number of trainings at the same time; None: as many as there is room for.
    """

    cluster: str | None = None
    worker_cores: int | None = None
    workers: int | None = None

    def runner(
        self, config: ClassifierRunConfig, *, say: Callable[[str], None] = lambda text: None
    ) -> AbstractContextManager[Runner]:
        """Returns what carries out the trainings while the context is open.

        Args:
            config: The settings that the trainings share; with the device gpu, each gets a GPU.
            say: Receives a message if the trainings wait for a machine.

        Raises:
            ConfigError: The address is none, or Ray is missing.
        """
        if self.cluster is None:
            return nullcontext(OneByOne(functools.partial(train_child, cores=self.worker_cores)))
        check_address(self.cluster)
        check_installed()
        return ClusterRunner(
            self.cluster,
            cores=self.worker_cores or 1,
            gpus=int(config.runtime.device == "gpu"),
            parallel=self.workers,
            say=say,
        )


class ClusterRunner:
    """Carries out trainings on a cluster, to which it connects when the first one begins.

    Args:
        address: The address of the cluster.
        cores: The number of cores that each training uses.
        gpus: The number of GPUs that each training uses.
        parallel: The number of trainings at the same time; None: as many as there is room for.
        say: Receives a message if the trainings wait for a machine.
    """

    def __init__(
        self,
        address: str,
        *,
        cores: int,
        gpus: int,
        parallel: int | None,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._address, self._cores, self._gpus, self._most = address, cores, gpus, parallel
        self._say, self._said = say, False
        self._context = ExitStack()
        self._logs: dict[str, Path] = {}

    def __enter__(self) -> Runner:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._context.__exit__(kind, error, traceback)

    @cached_property
    def _tasks(self) -> Tasks:
        self._context.enter_context(connected(self._address))
        return self._context.enter_context(Tasks(cores=self._cores, gpus=self._gpus))

    @property
    def parallel(self) -> int:
        """The number of trainings at the same time; it changes with the cluster.

        Raises:
            ConfigError: No machine has room for a training.
        """
        room = self._tasks.room()
        if not (room or self._logs or self._most):
            raise ConfigError(
                f"expected a machine with {self._needs} in the cluster, got none; set "
                "`worker_cores` to fewer, or `workers` to the number of trainings if machines join "
                "later."
            )
        return max(room if self._most is None else min(room, self._most), 1)

    @property
    def _needs(self) -> str:
        return counted(self._cores, "core") + " and a GPU" * bool(self._gpus)

    def start(self, name: str, training: Training) -> None:
        """Gives a training to the cluster."""
        if not (self._said or self._tasks.room()):
            self._said = True
            self._say(f"waiting for a machine with {self._needs}; the cluster has none")
        self._logs[name] = training.log
        self._tasks.start(name, _TrainingTask(training, os.getcwd(), self._cores))

    def next(self) -> tuple[str, Ended]:
        """Waits until any training has ended.

        A training whose workers were lost too often has failed; its log says so.
        """
        name, result = self._tasks.next()
        log = self._logs.pop(name)
        if result is None:
            with log.open("a", encoding="utf-8") as file:
                file.write(f"over {MOST_LOSSES} workers were lost during this training\n")
            return name, Ended(_LOST, 0.0)
        return name, Ended(**result)


@dataclass(frozen=True)
class _TrainingTask:
    """A training that a worker carries out.

    Attributes:
        training: The training.
        home: The folder in which the command was given, which relative paths begin in.
        cores: The number of cores that it uses.
    """

    training: Training
    home: str
    cores: int

    def __call__(self) -> Mapping[str, Any]:
        """Carries out the training; returns the fields of its end."""
        if not os.path.isdir(self.home):
            raise ConfigError(
                f"expected the folder {self.home}, in which the command was given, on all machines "
                "of the cluster; give the command in a folder that they share."
            )
        os.chdir(self.home)
        if not self.training.config.is_file():
            raise ConfigError(
                f"{self.training.config.absolute()}: expected the file that the command has "
                "written, got none; the machines of the cluster must share the folder `output`, "
                "at the same path."
            )
        train = functools.partial(train_child, cores=self.cores)
        return carry_out(self.training, train)._asdict()
