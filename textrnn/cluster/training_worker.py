"""One worker of a training: an actor of Ray that starts the command in a process of its own.

TensorFlow must be set up in a fresh process with `TF_CONFIG`, and the command needs the main thread
for its signals; so the actor only starts it, reads what it writes, and reports how it ends. The
process ends with the actor; see `textrnn.host.parent_watch`.
"""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

from textrnn.cluster.connection import ray_package
from textrnn.cluster.job import RunState, TrainingJob
from textrnn.host.parent_watch import watched_command

__all__ = ["LOGS", "LOST_ANOTHER", "THREADS", "Report", "TrainingWorker", "WorkerPlace"]

LOGS = ".workers"
"""The folder in a run folder that holds the logs of the workers until the run is finished."""

LOST_ANOTHER = 75
"""The exit code of a worker that lost another one; see `textrnn.training.devices.strategy`."""

_TOKEN = "shared"
"""The file in `LOGS` by which the workers see that they share the folder."""

_POLL_SECONDS = 1.0
_LOCK_SECONDS = 120.0
"""The time in which the lock of a killed training must be free; disks of a network take a while."""

_PACKAGES = ("textrnn", "tensorflow", "keras", "numpy")
"""The packages of which all workers must have the same version."""

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""Variables that Ray, or the connection to it, sets; a training by hand has those of the user."""

_ERROR = "textrnn: error: "


@dataclass(frozen=True)
class WorkerPlace:
    """Where a worker is.

    Attributes:
        address: The address at which the other workers reach it, with a free port.
        machine: The name of its machine.
        versions: The versions of some packages.
        log: The file of all that the command writes.
        state: The state of the run folder.
        error: What is wrong with the machine; empty if nothing is.
    """

    address: str = ""
    machine: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    log: str = ""
    state: RunState = field(default_factory=RunState)
    error: str = ""


@dataclass(frozen=True)
class Report:
    """What a worker has done since its last report.

    Attributes:
        events: The JSON events that the command wrote, and its results as events `result`.
        code: The exit code of the command; None while it runs.
        error: The error of the user that it ended with; empty without one.
        last_line: The last line that it wrote, such as that of a traceback; empty if it was killed.
    """

    events: Sequence[Mapping[str, Any]] = ()
    code: int | None = None
    error: str = ""
    last_line: str = ""


class TrainingWorker:
    """Runs the command of one worker.

    Args:
        job: The training.
        rank: The number of the worker; 0 is the chief.
        machine: The address of its machine; None: the one that Ray knows.
    """

    def __init__(self, job: TrainingJob, rank: int, machine: str | None = None) -> None:
        self._job, self._rank = job, rank
        self._machine = machine or ray_package().util.get_node_ip_address()
        self._events: queue.SimpleQueue[Mapping[str, Any]] = queue.SimpleQueue()
        self._process: subprocess.Popen[str] | None = None
        self._readers: list[threading.Thread] = []
        self._error = self._last_line = ""
        self._logs = Path()

    def prepare(self, token: str, *, wait_for_lock: bool) -> WorkerPlace:
        """Goes to the folder of the command and checks that the run folder is shared.

        Args:
            token: The chief writes it into the run folder, where the others must find it.
            wait_for_lock: Whether a process that was killed may still hold the run folder.
        """
        machine = f"{socket.gethostname()} ({self._machine})"
        try:
            os.chdir(self._job.home)
        except OSError as error:
            return WorkerPlace(
                error=f"expected the folder {self._job.home}, in which the command was called, at "
                f"the same path on all machines, got on {machine}: {error.strerror}; share it, or "
                "call the command in a folder that is shared."
            )
        self._logs = Path(self._job.folder).absolute() / LOGS
        shared = self._logs / _TOKEN
        try:
            if self._rank == 0:
                self._logs.mkdir(parents=True, exist_ok=True)
                shared.write_text(token, encoding="utf-8")
            if shared.read_text(encoding="utf-8") != token:
                raise FileNotFoundError
        except FileNotFoundError:
            return WorkerPlace(
                error=f"expected the run folder {self._logs.parent} on a disk that all machines "
                f"share, got another folder on {machine}; choose another `output`."
            )
        except OSError as error:
            return WorkerPlace(
                error=f"{self._logs.parent}: cannot be written to on {machine} "
                f"({error.strerror}); choose another `output`."
            )
        if wait_for_lock and self._rank == 0:
            _wait_until_free(self._logs.parent / self._job.lock)
        return WorkerPlace(
            address=_free_address(self._machine),
            machine=machine,
            versions={name: version(name) for name in _PACKAGES},
            log=str(self._log),
            state=self._job.look(self._job.folder) if self._rank == 0 else RunState(),
        )

    def start(self, arguments: Sequence[str], addresses: Sequence[str]) -> None:
        """Starts the command.

        Args:
            arguments: The arguments of `textrnn`.
            addresses: The addresses of all workers, in the order of their ranks.
        """
        environment = {name: v for name, v in os.environ.items() if name not in THREADS}
        environment |= self._job.environment or {}
        environment.pop("TF_CONFIG", None)
        if len(addresses) > 1:
            task = {"type": "worker", "index": self._rank}
            config = {"cluster": {"worker": list(addresses)}, "task": task}
            environment["TF_CONFIG"] = json.dumps(config)
        self._process = subprocess.Popen(
            watched_command(self._job.module, arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            env=environment,
            start_new_session=True,  # Ctrl-C reaches it by `interrupt` alone.
        )
        for stream, read in (
            (self._process.stdout, self._read_result),
            (self._process.stderr, self._read_log_line),
        ):
            reader = threading.Thread(target=self._read, args=(stream, read), daemon=True)
            reader.start()
            self._readers.append(reader)

    @property
    def _log(self) -> Path:
        return self._logs / f"worker-{self._rank}.log"

    def _read(self, stream: IO[str], read: Callable[[str], None]) -> None:
        with stream:
            for line in stream:
                with suppress(OSError), self._log.open("a", encoding="utf-8") as log:  # Disk full.
                    log.write(line)
                read(line.rstrip("\n"))

    def _read_result(self, line: str) -> None:
        self._events.put({"event": "result", "text": line})

    def _read_log_line(self, line: str) -> None:
        if line.startswith('{"time"'):
            with suppress(ValueError):
                self._events.put(json.loads(line))
                return
        if line.startswith(_ERROR):
            self._error = line.removeprefix(_ERROR)
        elif line.strip():
            self._last_line = line.strip()

    def poll(self) -> Report:
        """Returns what is new, at the latest after a second."""
        process = self._process
        if process is None:
            return Report()
        events, ended = [], process.poll() is not None
        if ended:
            for reader in self._readers:  # A process that the command started may hold a pipe.
                reader.join(_POLL_SECONDS)
        with suppress(queue.Empty):
            events.append(self._events.get(timeout=0 if ended else _POLL_SECONDS))
            while True:
                events.append(self._events.get_nowait())
        if not ended:
            return Report(events)
        if process.stdin is not None:
            process.stdin.close()
        last_line = self._last_line if process.returncode > 0 else ""
        return Report(events, process.returncode, self._error, last_line)

    def interrupt(self) -> None:
        """Asks the command to write a checkpoint and to stop, as Ctrl-C does."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGINT)

    def clean(self) -> None:
        """Removes the logs of all workers."""
        shutil.rmtree(self._logs, ignore_errors=True)


def _free_address(machine: str) -> str:
    """Returns the address of a machine with a port that is free now."""
    family = socket.AF_INET6 if ":" in machine else socket.AF_INET
    with socket.socket(family) as listener:
        listener.bind((machine, 0))
        port = listener.getsockname()[1]
    return f"[{machine}]:{port}" if ":" in machine else f"{machine}:{port}"


def _wait_until_free(lock: Path) -> None:
    """Waits until no process holds the lock of a run folder; gives up after `_LOCK_SECONDS`."""
    import filelock

    if lock.exists():
        with suppress(filelock.Timeout), filelock.FileLock(lock, timeout=_LOCK_SECONDS):
            pass
