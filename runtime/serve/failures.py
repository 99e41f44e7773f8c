"""Errors as JSON responses, without a traceback."""

from __future__ import annotations

import logging

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .bodies import json_response
from .errors import RequestError

__all__ = ["Failures", "http_exception"]

_log = logging.getLogger("textrnn.serve")

_INTERNAL = "the server failed; its log has the reason."


class Failures:
    """Turns every error into the response `{"error": MESSAGE}`.

    Args:
        app: What answers the requests.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_begun = False

        async def watched(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            if has_begun:
                raise
            await _response(error)(scope, receive, send)


def _response(error: Exception) -> Response:
    if isinstance(error, RequestError):
        response = json_response({"error": error.message}, status=error.status)
        response.headers.update(error.headers)
        return response
    _log.error("a request failed", exc_info=error)
    return json_response({"error": _INTERNAL}, status=500)


async def http_exception(request: Request, error: Exception) -> Response:
    """Returns the response to an error of the router: an unknown path, or a wrong method."""
    if not isinstance(error, HTTPException):
        raise error
    messages = {
        404: "expected a path that /docs lists, got another one.",
        405: f"expected another method for this path, got {request.method}.",
    }
    message = messages.get(error.status_code, error.detail)
    response = json_response({"error": message}, status=error.status_code)
    response.headers.update(error.headers or {})
    return response
