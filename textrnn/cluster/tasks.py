"""Tasks, each of which a worker of a cluster carries out, and which are repeated if it is lost."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from textrnn.cluster.connection import ray_package
from textrnn.errors import ConfigError, DataError, ModelError, TextRNNError

__all__ = ["MOST_LOSSES", "Task", "Tasks"]

Task = Callable[[], Mapping[str, Any]]
"""Does the work and returns values of JSON. It may be done twice, and then continues the first."""

MOST_LOSSES = 10
"""The number of workers that a task may lose."""

_ERRORS = {kind.__name__: kind for kind in (ConfigError, DataError, ModelError)}


class Tasks:
    """The tasks of this process, which must be connected to a cluster.

    When the context ends, tasks that have not ended are stopped.

    Args:
        cores: The number of cores that each task uses, on one machine.
        gpus: The number of GPUs that each task uses.
    """

    def __init__(self, *, cores: int, gpus: int = 0) -> None:
        self._ray = ray_package()
        self._needs = {"CPU": cores, "GPU": gpus}
        options = {"num_cpus": cores, "num_gpus": gpus, "max_retries": MOST_LOSSES}
        self._task = self._ray.remote(**options)(_carry_out)
        self._names: dict[Any, str] = {}

    def __enter__(self) -> Tasks:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for reference in self._names:
            self._ray.cancel(reference, force=True)

    def room(self) -> int:
        """Returns the number of tasks that the machines of the cluster can carry out at a time."""
        needs = {name: count for name, count in self._needs.items() if count}
        return sum(
            min(int(node["Resources"].get(name, 0)) // count for name, count in needs.items())
            for node in self._ray.nodes()
            if node["Alive"]
        )

    def start(self, name: str, task: Task) -> None:
        """Gives a task to the cluster, which carries it out when a machine has room."""
        self._names[self._task.remote(task)] = name

    def next(self) -> tuple[str, Mapping[str, Any] | None]:
        """Waits until any task has ended.

        Returns:
            The name of the task, and its result; None if over `MOST_LOSSES` of its workers were
            lost.

        Raises:
            TextRNNError: The task raised it.
        """
        (reference,), _ = self._ray.wait(list(self._names), num_returns=1)
        name = self._names.pop(reference)
        try:
            result: Mapping[str, Any] = self._ray.get(reference)
        except (
            self._ray.exceptions.WorkerCrashedError,
            self._ray.exceptions.NodeDiedError,
            self._ray.exceptions.OutOfMemoryError,
        ):
            return name, None
        if "error" in result:
            raise _ERRORS.get(result["error"], TextRNNError)(result["message"])
        return name, result


def _carry_out(task: Task) -> Mapping[str, Any]:
    """Carries out a task, in a worker."""
    logging.getLogger("ray").setLevel(logging.ERROR)
    try:
        return task()
    except TextRNNError as error:
        return {"error": type(error).__name__, "message": str(error)}
