"""Several server processes that listen at one address."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.context import SpawnProcess
from multiprocessing.synchronize import Event
from types import FrameType

from ..errors import ModelError, TextRNNError
from .metrics import PROCESSES_FOLDER
from .model import Load
from .settings import ServeSettings
from .versions import ModelSource

__all__ = ["run_processes"]

_log = logging.getLogger("textrnn.serve")

_LOOK_SECONDS = 0.2


def _serve(
    sources: Sequence[ModelSource],
    load: Load,
    settings: ServeSettings,
    bound: socket.socket,
    has_started: Event,
) -> None:
    """Serves in a child process."""
    from .app import create_app
    from .server import log_to_stderr, run_server

    threading.Thread(target=_stop_with_the_parent, daemon=True).start()
    # Ctrl-C reaches all processes of a terminal; the parent passes it on as SIGTERM.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    log_to_stderr(settings)
    try:
        app = create_app(sources, load, settings=settings)
    except TextRNNError as error:
        _log.error("%s", error)
        return  # The parent finds that this process has not started.
    has_started.set()
    run_server(app, settings, sockets=[bound])


def _stop_with_the_parent() -> None:
    """Asks this process to stop when its parent has ended, which may have been killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


@dataclass
class _Worker:
    process: SpawnProcess
    has_started: Event


class _Workers:
    """The child processes."""

    def __init__(
        self,
        sources: Sequence[ModelSource],
        load: Load,
        settings: ServeSettings,
        bound: socket.socket,
    ) -> None:
        self._arguments = (sources, load, settings, bound)
        self._settings, self._bound = settings, bound
        self._workers: list[_Worker] = []
        self._is_stopping = False

    def run(self) -> None:
        """Starts the processes, replaces those that die, and stops all when a signal comes.

        Raises:
            ModelError: A process cannot start.
        """
        previous = {s: signal.signal(s, self._stop) for s in (signal.SIGTERM, signal.SIGINT)}
        try:
            self._workers = [self._started() for _ in range(self._settings.listening.workers)]
            while not self._is_stopping:
                time.sleep(_LOOK_SECONDS)
                self._replace_dead()
        finally:
            self._end()
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _started(self) -> _Worker:
        context = multiprocessing.get_context("spawn")
        has_started = context.Event()
        process = context.Process(target=_serve, args=(*self._arguments, has_started))
        process.start()
        return _Worker(process, has_started)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._is_stopping = True

    def _replace_dead(self) -> None:
        for place, worker in enumerate(self._workers):
            if worker.process.is_alive() or self._is_stopping:
                continue
            code = worker.process.exitcode
            if not worker.has_started.is_set():
                raise ModelError(
                    f"a server process could not start (exit code {code}); its message is above."
                )
            _log.error("a server process ended with code %s; another one starts", code)
            self._workers[place] = self._started()

    def _is_any_alive(self) -> bool:
        return any(worker.process.is_alive() for worker in self._workers)

    def _end(self) -> None:
        """Asks the processes to stop, and kills those that do not in time."""
        for worker in self._workers:
            worker.process.terminate()
        stopping = self._settings.stopping
        begin = time.monotonic()
        while time.monotonic() < begin + stopping.drain_seconds and self._is_any_alive():
            time.sleep(_LOOK_SECONDS / 10)
        # As long as this process has it open, connections are made that no worker accepts.
        self._bound.close()
        deadline = begin + stopping.drain_seconds + stopping.stop_seconds + 5
        for worker in self._workers:
            worker.process.join(max(0.0, deadline - time.monotonic()))
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()


def run_processes(
    sources: Sequence[ModelSource], load: Load, settings: ServeSettings, *, bound: socket.socket
) -> None:
    """Serves in several processes until SIGTERM or SIGINT.

    Each of them loads the models and looks for new versions. Their metrics are added up.

    Args:
        sources: The models.
        load: Loads a run folder; a function that another process can import.
        settings: The settings.
        bound: Where to listen.

    Raises:
        ModelError: A process cannot start.
    """
    with tempfile.TemporaryDirectory(prefix="textrnn-serve-") as folder:
        os.environ[PROCESSES_FOLDER] = folder
        try:
            _Workers(sources, load, settings, bound).run()
        finally:
            del os.environ[PROCESSES_FOLDER]
