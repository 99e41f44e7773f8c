"""How many requests are worked on at a time, and for how long."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Collection

from starlette.types import ASGIApp, Receive, Scope, Send

from .errors import RequestError, busy
from .serving import Call, Serving

if sys.version_info >= (3, 11):
    from asyncio import timeout
else:
    from contextlib import asynccontextmanager

    from anyio import fail_after

    @asynccontextmanager
    async def timeout(seconds: float) -> AsyncIterator[None]:
        """Stands for asyncio's, which takes less time."""
        with fail_after(seconds):
            yield


__all__ = ["RequestLimits"]


class RequestLimits:
    """Refuses requests beyond the limit, and ends those that take too long.

    Args:
        app: What answers the requests.
        serving: The server.
        open_paths: The paths without limits, so that a busy server still reports its state.
    """

    def __init__(self, app: ASGIApp, serving: Serving, open_paths: Collection[str]) -> None:
        self._app, self._serving, self._open_paths = app, serving, open_paths
        self._limits = serving.settings.limits
        self._active = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request."""
        if scope["type"] != "http" or scope["path"] in self._open_paths:
            await self._app(scope, receive, send)
            return
        if self._active >= self._limits.max_requests:
            raise busy(
                f"expected at most {self._limits.max_requests} requests at a time, got one more; "
                "ask again later."
            )
        self._count(1)
        call: Call = scope.setdefault("textrnn.call", Call())
        seconds = self._limits.request_seconds
        try:
            async with timeout(seconds):
                await self._app(scope, receive, send)
        except TimeoutError:
            if not call.is_received:
                message = (
                    f"expected the body within {seconds:g} s, got a part of it; send it faster."
                )
                raise RequestError(408, message) from None
            raise RequestError(
                504, f"expected an answer within {seconds:g} s, got none; send fewer texts."
            ) from None
        finally:
            self._count(-1)

    def _count(self, change: int) -> None:
        self._active += change
        self._serving.metrics.active.set(self._active)
