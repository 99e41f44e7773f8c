"""Workers that train together, each placed by Ray on a machine with room for it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from textrnn.cluster.connection import ray_package
from textrnn.cluster.job import RunState, TrainingJob
from textrnn.cluster.training_worker import LOST_ANOTHER, Report, TrainingWorker, WorkerPlace
from textrnn.errors import ConfigError
from textrnn.messages.wording import counted

__all__ = ["End", "Room", "Say", "WorkerGroup", "WorkersLost", "equal_share", "worker_group"]

Say = Callable[[Mapping[str, Any]], None]
"""Receives the events of the chief, and messages as events `message`."""

WAIT_SECONDS = 600.0
"""The time in which there must be room for the workers."""

STOPPING_SECONDS = 120.0
"""The time that an interrupted training gets to write its checkpoint."""

GRACE_SECONDS = 3.0
"""The time after the end of a worker in which others end by themselves, and say why."""


class WorkersLost(Exception):
    """Workers or machines were lost before the training began."""


@dataclass(frozen=True)
class Room:
    """The workers, and what Ray reserves for each.

    Attributes:
        workers: The number of workers.
        cores: The cores of each; None: an equal share of the cluster's.
        gpus: Whether they share out the GPUs of the cluster.
    """

    workers: int = 1
    cores: int | None = None
    gpus: bool = True

    def resources(self, machines: Sequence[Mapping[str, float]]) -> dict[str, int] | None:
        """Returns what each worker gets of some machines; None if there is no room for all.

        >>> Room(2).resources([{"CPU": 8.0, "GPU": 1.0}, {"CPU": 8.0, "GPU": 1.0}])
        {'CPU': 8, 'GPU': 1}
        >>> Room(2, cores=3, gpus=False).resources([{"CPU": 8.0, "GPU": 1.0}])
        {'CPU': 3}
        >>> Room(3).resources([{"CPU": 2.0}]) is None
        True

        Args:
            machines: The resources of each machine.
        """
        cores = [int(machine.get("CPU", 0)) for machine in machines]
        share = equal_share(cores, self.workers)
        wanted = self.cores or share
        if not 0 < wanted <= share:
            return None
        gpus = [int(machine.get("GPU", 0)) for machine in machines] if self.gpus else []
        gpu_share = equal_share(gpus, self.workers)
        return {"CPU": wanted, **({"GPU": gpu_share} if gpu_share else {})}


def equal_share(sizes: Sequence[int], workers: int) -> int:
    """Returns the most that each of some workers can have on one machine; 0 if there is no room.

    >>> equal_share([8, 8], 2), equal_share([8, 8], 3), equal_share([8, 2], 3), equal_share([1], 2)
    (8, 4, 2, 0)
    """
    sizes_down = range(max(sizes, default=0), 0, -1)
    return next((n for n in sizes_down if sum(size // n for size in sizes) >= workers), 0)


@dataclass(frozen=True)
class End:
    """How a worker ended.

    Attributes:
        rank: The number of the worker; 0 is the chief.
        machine: The name of its machine.
        code: The exit code of its command; None if the worker or its machine was lost.
        error: The error of the user that it ended with; empty without one.
        last_line: The last line that it wrote, such as that of a traceback.
        log: The file of all that it wrote.
    """

    rank: int
    machine: str
    code: int | None
    error: str = ""
    last_line: str = ""
    log: str = ""

    @property
    def is_final(self) -> bool:
        """Whether the command would end in the same way again: an error of the user."""
        return self.code == 2 or (self.code == 1 and bool(self.error))

    @property
    def is_kill(self) -> bool:
        """Whether the worker did not end by itself."""
        return self.code is None or self.code < 0

    def __str__(self) -> str:
        """Says in one line how the worker ended, and where its log is."""
        if self.code is None:
            how = "was lost"
        elif self.code < 0:
            how = f"was killed by signal {-self.code}"
        elif self.code == LOST_ANOTHER:
            how = "lost another worker"
        else:
            reason = self.error or self.last_line or f"exit code {self.code}"
            how = f"failed: {reason.rstrip('.')}"
        log = f" (log: {self.log})" if self.log else ""
        return f"worker {self.rank} on {self.machine} {how}{log}"


class WorkerGroup:
    """The actors of the workers, already placed.

    Args:
        job: The training.
        actors: The actor of each worker.
    """

    def __init__(self, job: TrainingJob, actors: Sequence[Any]) -> None:
        self._job, self._actors = job, actors
        self._places: list[WorkerPlace] = []

    def prepare(self, *, wait_for_lock: bool) -> RunState:
        """Checks the machines and returns the state of the run folder.

        Args:
            wait_for_lock: Whether a process that was killed may still hold the run folder.

        Raises:
            ConfigError: A machine cannot take part, or textrnn is missing there.
            WorkersLost: A machine was lost.
        """
        ray = ray_package()
        token = secrets.token_hex()
        try:
            for actors in (self._actors[:1], self._actors[1:]):
                calls = [a.prepare.remote(token, wait_for_lock=wait_for_lock) for a in actors]
                self._places += ray.get(calls)
                if errors := [place.error for place in self._places if place.error]:
                    raise ConfigError(errors[0])
        except ray.exceptions.RayActorError as error:
            reason = " ".join(str(error).split())
            if error.actor_init_failed:
                raise ConfigError(
                    "expected the same version of textrnn on all machines of the cluster, got a "
                    f"machine whose worker does not start ({reason})."
                ) from None
            raise WorkersLost(reason) from None
        chief = self._places[0]
        for place in self._places[1:]:
            if place.versions != chief.versions:
                raise ConfigError(
                    f"expected the packages of {chief.machine} on all machines "
                    f"({_listed(chief.versions)}), got {_listed(place.versions)} on "
                    f"{place.machine}; install the same versions."
                )
        return chief.state

    def run(self, arguments: Sequence[str], say: Say) -> list[End]:
        """Runs the command on all workers until all, or the chief, have ended, or one has failed.

        Args:
            arguments: The arguments of `textrnn`.
            say: Receives the events of the chief.

        Returns:
            How workers ended, those that ended first at the front.

        Raises:
            KeyboardInterrupt: The user pressed Ctrl-C; the chief has written a checkpoint if
                it could.
        """
        addresses = [place.address for place in self._places]
        for actor in self._actors:
            actor.start.remote(arguments, addresses)
        watch = _Watch(self._actors, self._places, say)
        try:
            watch.until(watch.is_over)
        except KeyboardInterrupt:
            self._actors[0].interrupt.remote()
            deadline = time.monotonic() + STOPPING_SECONDS
            watch.until(lambda: bool(watch.ends) or time.monotonic() > deadline)
            raise
        if any(end.rank == 0 and end.code == 0 for end in watch.ends):
            self.clean()
        return watch.ends

    def clean(self) -> None:
        """Removes the logs of all workers, whose training is finished."""
        with suppress(ray_package().exceptions.RayError):
            ray_package().get(self._actors[0].clean.remote())

    def close(self) -> None:
        """Kills all workers that still run."""
        ray = ray_package()
        for actor in self._actors:
            with suppress(ray.exceptions.RayError):
                ray.kill(actor)


class _Watch:
    """Polls the workers of a group, and remembers how they ended."""

    def __init__(self, actors: Sequence[Any], places: Sequence[WorkerPlace], say: Say) -> None:
        self._ray = ray_package()
        self._actors, self._places, self._say = actors, places, say
        self._calls = {actor.poll.remote(): rank for rank, actor in enumerate(actors)}
        self._failed_at = float("inf")
        self.ends: list[End] = []

    def until(self, is_over: Callable[[], bool]) -> None:
        """Polls until a condition holds, or all workers have ended."""
        while self._calls and not is_over():
            ready, _ = self._ray.wait(list(self._calls), timeout=1.0)
            for call in ready:
                # Ctrl-C may come at any place, after which the same report is received again.
                self._receive(call, self._calls[call])
                del self._calls[call]

    def is_over(self) -> bool:
        """Whether the chief is done, or enough time has passed since the first failure."""
        done = any(end.rank == 0 and end.code == 0 for end in self.ends)
        return done or time.monotonic() > self._failed_at + GRACE_SECONDS

    def _receive(self, call: Any, rank: int) -> None:
        try:
            report: Report = self._ray.get(call)
        except self._ray.exceptions.RayError:
            self._end(rank, Report())
            return
        if rank == 0:
            for event in report.events:
                self._say(event)
        if report.code is None:
            self._calls[self._actors[rank].poll.remote()] = rank
            return
        self._end(rank, report)

    def _end(self, rank: int, report: Report) -> None:
        place = self._places[rank]
        how = (report.code, report.error, report.last_line, place.log)
        self.ends.append(end := End(rank, place.machine, *how))
        if end.code != 0:
            self._failed_at = min(self._failed_at, time.monotonic())


def _listed(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())


@contextmanager
def worker_group(job: TrainingJob, room: Room, *, at_once: bool, say: Say) -> Iterator[WorkerGroup]:
    """Places workers on the cluster of this process; the end of the context kills them.

    Ray spreads them over the machines, as far as there is room.

    Args:
        job: The training.
        room: The workers, and what each needs.
        at_once: Whether a cluster that is too small is an error, because no machine was lost.
        say: Receives a message if there is no room yet.

    Raises:
        ConfigError: The cluster is too small, or there was no room for too long.
        WorkersLost: A machine was lost before the workers were placed.
    """
    ray = ray_package()
    from ray.util.placement_group import placement_group, remove_placement_group
    from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

    deadline = time.monotonic() + WAIT_SECONDS
    resources = _wait_for_machines(room, at_once=at_once, deadline=deadline, say=say)
    placed = placement_group([dict(resources) for _ in range(room.workers)], strategy="SPREAD")
    actors: list[Any] = []
    try:
        _wait_for_room(placed, room, resources, deadline=deadline, say=say)
        for rank in range(room.workers):
            strategy = PlacementGroupSchedulingStrategy(placed, rank)
            options = {"num_cpus": resources["CPU"], "num_gpus": resources.get("GPU", 0)}
            actor = ray.remote(TrainingWorker).options(scheduling_strategy=strategy, **options)
            actors.append(actor.remote(job, rank))
        yield WorkerGroup(job, actors)
    finally:
        WorkerGroup(job, actors).close()
        with suppress(ray.exceptions.RayError):
            remove_placement_group(placed)


def _machines() -> list[Mapping[str, float]]:
    return [node["Resources"] for node in ray_package().nodes() if node["Alive"]]


def _wait_for_machines(room: Room, *, at_once: bool, deadline: float, say: Say) -> dict[str, int]:
    """Returns what each worker gets, as soon as the cluster is large enough.

    Raises:
        ConfigError: It is too small.
    """
    said = False
    while (resources := room.resources(machines := _machines())) is None:
        cores = int(sum(machine.get("CPU", 0) for machine in machines))
        wanted = _wanted(room.workers, room.cores or 1)
        if at_once or time.monotonic() > deadline:
            raise ConfigError(
                f"expected room for {wanted}, got a cluster of "
                f"{counted(len(machines), 'machine')} with {counted(cores, 'core')}; start more "
                "machines, or lower `workers` or `worker_cores`"
                + ("." if at_once else ", and continue with `resume`.")
            )
        if not said:
            say(_message(f"waiting for a machine: no room for {wanted}, only {cores} cores"))
            said = True
        time.sleep(1.0)
    return resources


def _wait_for_room(
    placed: Any, room: Room, resources: Mapping[str, int], *, deadline: float, say: Say
) -> None:
    """Waits until other programs leave the cluster the room that the workers need.

    Raises:
        ConfigError: They did not in time.
        WorkersLost: A machine was lost meanwhile.
    """
    wanted = _wanted(room.workers, resources["CPU"])
    said = False
    while not placed.wait(5):
        if room.resources(_machines()) != resources:
            raise WorkersLost("a machine was lost, or came")
        if time.monotonic() > deadline:
            raise ConfigError(
                f"expected room for {wanted}, got a cluster on which other programs run; wait "
                "for them, or lower `workers` or `worker_cores`."
            )
        if not said:
            say(_message(f"waiting for other programs of the cluster: no room for {wanted}"))
            said = True


def _wanted(workers: int, cores: int) -> str:
    each = f"{cores} core{'s' * (cores != 1)}"
    return f"a worker of {each}" if workers == 1 else f"{workers} workers of {each} each"


def _message(text: str) -> dict[str, str]:
    return {"event": "message", "text": text}
