"""Counts requests, WebSockets and their time, and logs them if the user wants it."""

from __future__ import annotations

import json
import logging
import os
import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .serving import Call, Serving

__all__ = ["REQUEST_LOG", "Observation"]

REQUEST_LOG = "textrnn.serve.requests"
"""The logger of the requests."""

_log = logging.getLogger(REQUEST_LOG)

_NO_CODE, _ABNORMAL = 1005, 1006
"""RFC 6455: a close without a code, and a connection that ended without a close."""


class Observation:
    """Counts and logs every HTTP request, and every WebSocket when it begins and when it ends.

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
        if scope["type"] == "websocket":
            await self._watch_stream(scope, receive, send)
        elif scope["type"] == "http":
            await self._watch_request(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _watch_request(self, scope: Scope, receive: Receive, send: Send) -> None:
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
            content = {"content": call.texts} if self._log_texts else {}
            self._log(
                scope,
                event="request",
                method=scope["method"],
                status=status,
                ms=round(1000 * seconds, 2),
                texts=len(call.texts),
                **content,
            )

    async def _watch_stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = scope["textrnn.call"] = Call()
        begin, messages, is_accepted = time.perf_counter(), 0, False
        codes: list[int] = []  # Those with which one side and then the other one close.

        async def received() -> Message:
            nonlocal messages
            message = await receive()
            if message["type"] == "websocket.receive":
                messages += 1
            elif message["type"] == "websocket.disconnect":
                codes.append(message.get("code") or _NO_CODE)
            return message

        async def watched(message: Message) -> None:
            nonlocal is_accepted
            if message["type"] == "websocket.accept":
                is_accepted = True
                self._serving.metrics.stream_accepts.inc()
                self._log(scope, event="accept")
            elif message["type"] == "websocket.close":
                codes.append(message.get("code") or 1000)
            await send(message)

        try:
            await self._app(scope, received, watched)
        finally:
            seconds = time.perf_counter() - begin
            if is_accepted:
                code = codes[0] if codes else _ABNORMAL
                self._serving.metrics.count_stream(call.model, code, seconds)
                self._log(
                    scope,
                    event="close",
                    code=code,
                    ms=round(1000 * seconds, 2),
                    messages=messages,
                )
            else:  # No WebSocket has this path, and the handshake gets this status.
                self._count(call, 403, seconds)
                self._log(scope, event="refuse", status=403)

    def _count(self, call: Call, status: int, seconds: float) -> None:
        key = (call.model, call.name, status)
        if key not in self._known:
            metrics = self._serving.metrics
            requests = metrics.requests.labels(call.model, call.name, str(status))
            self._known[key] = (requests, metrics.seconds.labels(call.model, call.name))
        requests, times = self._known[key]
        requests.inc()
        times.observe(seconds)

    def _log(self, scope: Scope, **fields: Any) -> None:
        """Writes a line, if the user wants the requests logged."""
        if not self._log_requests:
            return
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "pid": os.getpid(),
            "path": scope["path"],
            **fields,
        }
        _log.info("%s", json.dumps(line, ensure_ascii=True))
