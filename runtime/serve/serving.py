"""What every request needs: the models, the settings, the metrics and the state of the server."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import TypeVar

from starlette.requests import HTTPConnection

from .metrics import Metrics
from .settings import ServeSettings
from .store import ModelStore, ServedVersion

__all__ = ["Call", "Serving", "asked_version", "call_of", "served_version", "serving_of"]

T = TypeVar("T")


@dataclass(eq=False)
class Serving:
    """The server, as the requests see it.

    Attributes:
        store: The models.
        settings: The settings.
        metrics: The metrics of the process.
        threads: Runs the models.
        is_stopping: Whether the server is about to stop; it reports then that it is not ready.
        streams: How many texts are being written by WebSocket.
    """

    store: ModelStore
    settings: ServeSettings
    metrics: Metrics
    threads: Executor
    is_stopping: bool = False
    streams: int = 0

    @property
    def is_ready(self) -> bool:
        """Whether the server wants to get requests."""
        return not self.is_stopping and self.store.is_ready

    async def in_thread(self, function: Callable[..., T], *arguments: object) -> T:
        """Calls a function of a model in one of the threads that run models."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.threads, function, *arguments)


@dataclass(eq=False)
class Call:
    """What is counted and logged of a request.

    Attributes:
        name: The name of the call, such as `predict`; empty if there is no such call.
        model: The name of the model; empty if none was found.
        texts: The texts.
        is_received: Whether the body has arrived.
    """

    name: str = ""
    model: str = ""
    texts: list[str] = field(default_factory=list)
    is_received: bool = False


def serving_of(connection: HTTPConnection) -> Serving:
    """Returns the server that a request came to."""
    serving: Serving = connection.app.state.serving
    return serving


def call_of(connection: HTTPConnection) -> Call:
    """Returns the record of a request."""
    call: Call = connection.scope.setdefault("textrnn.call", Call())
    return call


def served_version(connection: HTTPConnection, *, call: str) -> ServedVersion:
    """Returns the version of a model that the path of a request names.

    Args:
        connection: The request.
        call: The name of the call, for the metrics.

    Raises:
        RequestError: It is not served; status 404.
    """
    record = call_of(connection)
    record.name = call
    name = connection.path_params["name"]
    version = serving_of(connection).store.version(name, asked_version(connection))
    record.model = version.name
    return version


def asked_version(connection: HTTPConnection) -> int | None:
    """Returns the number of the version that the path of a request names, None if it names none.

    A name that is no number is -1, a version that does not exist.
    """
    version = connection.path_params.get("version")
    if version is None:
        return None
    return int(version) if re.fullmatch("[0-9]{1,18}", version) else -1
