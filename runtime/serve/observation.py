"""Counts requests and their time, and logs them if the user wants it."""

from __future__ import annotations

import json
import logging
import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .serving import Call, Serving

__all__ = ["REQUEST_LOG", "Observation"]

REQUEST_LOG = "textrnn.serve.requests"
"""The logger of the requests."""

_log = logging.getLogger(REQUEST_LOG)


class Observation:
    """Counts and logs every HTTP request.

    Args:
        app: What answers the requests.
        serving: The server.
    """

    def __init__(self, app: ASGIApp, serving: Serving) -> None:
        self._app, self._serving = app, serving
        logging_settings = serving.settings.logging
        self._log_texts = logging_settings.log_texts
        self._log_requests = logging_settings.log_requests or self._log_texts
        self._known: dict[tuple[str, str, int], Any] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        call = scope["textrnn.call"] = Call()
        begin, status = time.perf_counter(), 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if self._serving.is_stopping:  # The next request goes to another server.
                    message["headers"] = [*message["headers"], (b"connection", b"close")]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            seconds = time.perf_counter() - begin
            self._count(call, status, seconds)
            if self._log_requests:
                self._log(scope, call, status=status, seconds=seconds)

    def _count(self, call: Call, status: int, seconds: float) -> None:
        key = (call.model, call.name, status)
        if key not in self._known:
            metrics = self._serving.metrics
            requests = metrics.requests.labels(call.model, call.name, str(status))
            self._known[key] = (requests, metrics.seconds.labels(call.model, call.name))
        requests, times = self._known[key]
        requests.inc()
        times.observe(seconds)

    def _log(self, scope: Scope, call: Call, *, status: int, seconds: float) -> None:
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "method": scope["method"],
            "path": scope["path"],
            "status": status,
            "ms": round(1000 * seconds, 2),
            "texts": len(call.texts),
        }
        if self._log_texts:
            line["content"] = call.texts
        _log.info("%s", json.dumps(line, ensure_ascii=True))
