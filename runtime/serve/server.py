"""The server in one process: it starts, and stops without losing a request."""

from __future__ import annotations

import logging
import socket
import sys
import threading
import time
from collections.abc import Sequence
from types import FrameType

import uvicorn
from starlette.applications import Starlette

from ..distribution import DISTRIBUTION
from ..errors import ConfigError
from .observation import REQUEST_LOG
from .serving import Serving
from .settings import Listening, ServeSettings

__all__ = ["listening_socket", "log_to_stderr", "run_server"]

_BACKLOG = 2048
_KEEP_ALIVE_SECONDS = 30

_log = logging.getLogger("textrnn.serve")


class _Server(uvicorn.Server):
    """A server whose first signal asks it to stop, and whose second one forces it to.

    Args:
        config: The configuration of uvicorn.
        serving: What reports that the server is not ready any more.
        drain_seconds: The time between the report and the end of new requests.
    """

    def __init__(self, config: uvicorn.Config, serving: Serving, drain_seconds: float) -> None:
        super().__init__(config)
        self._serving, self._drain_seconds = serving, drain_seconds

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Obeys SIGTERM and SIGINT."""
        if self._serving.is_stopping:
            self.should_exit = self.force_exit = True
            return
        self._serving.is_stopping = True
        timer = threading.Timer(self._drain_seconds, self._stop)
        timer.daemon = True
        timer.start()

    def _stop(self) -> None:
        self.should_exit = True


def run_server(
    app: Starlette, settings: ServeSettings, *, sockets: Sequence[socket.socket]
) -> None:
    """Serves until SIGTERM or SIGINT.

    Args:
        app: The application.
        settings: The settings.
        sockets: Where to listen.
    """
    config = uvicorn.Config(
        app,
        access_log=False,
        backlog=_BACKLOG,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=int(max(1, settings.stopping.stop_seconds)),
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        ws="websockets-sansio",
        # A message up to this size gets an error that says the limit.
        ws_max_size=2 * settings.limits.max_message_bytes + 1024,
    )
    _Server(config, app.state.serving, settings.stopping.drain_seconds).run(list(sockets))


def listening_socket(listening: Listening) -> socket.socket:
    """Returns a socket that is bound to the address.

    Raises:
        ConfigError: The address cannot be used, for example because a program listens there.
    """
    host, port = listening.host, listening.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except (OSError, OverflowError) as error:
        bound.close()
        reason = str(error).rstrip(".")
        raise ConfigError(
            f"expected a free address, got {host}:{port}: {reason}; choose another `port` or "
            "`host`."
        ) from None
    bound.set_inheritable(True)
    return bound


def log_to_stderr(settings: ServeSettings) -> None:
    """Writes the messages of the server to stderr, and the requests if the user wants them.

    A message has its time in UTC, the command, the number of the process, and the level.
    """
    messages = logging.Formatter(
        f"%(asctime)s {DISTRIBUTION} serve[%(process)d] %(levelname)s: %(message)s",
        "%Y-%m-%dT%H:%M:%SZ",
    )
    messages.converter = time.gmtime
    for name, form in (
        ("textrnn.serve", messages),
        (REQUEST_LOG, logging.Formatter("%(message)s")),
        ("uvicorn.error", messages),
    ):
        logger = logging.getLogger(name)
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(form)
        logger.handlers = [handler]
        logger.propagate = False
        logger.setLevel(logging.WARNING if name == "uvicorn.error" else logging.INFO)
