"""The errors of a request, each of which becomes one response."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["RequestError", "busy"]


class RequestError(Exception):
    """A request that cannot be answered; the response is `{"error": MESSAGE}`.

    >>> RequestError(404, "expected the name of a model, got 'x'.").status
    404

    Args:
        status: The HTTP status, 4xx or 5xx.
        message: What was expected, what came, and what to do.
        headers: Further headers of the response.
    """

    def __init__(self, status: int, message: str, *, headers: Mapping[str, str] | None = None):
        super().__init__(message)
        self.status, self.message, self.headers = status, message, dict(headers or {})


def busy(message: str, *, retry_seconds: int = 1) -> RequestError:
    """Returns the error of a request that comes when too many are waiting.

    Args:
        message: What is full.
        retry_seconds: The time after which the client should ask again.
    """
    return RequestError(429, message, headers={"Retry-After": str(retry_seconds)})
