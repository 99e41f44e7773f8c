"""The body of a request, within its limits."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from .errors import RequestError
from .serving import call_of, serving_of
from .texts import parsed_object

__all__ = ["json_object", "json_response", "read_body"]

# json.dumps would make an encoder for each response.
_write = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


async def read_body(request: Request) -> bytes:
    """Returns the body of a request.

    Raises:
        RequestError: It is too long (status 413), compressed (415), or incomplete (400).
    """
    limits = serving_of(request).settings.limits
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        raise RequestError(415, f"expected a body without compression, got {encoding[:40]!r}.")
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > limits.max_body_bytes:
        raise _too_long(limits.max_body_bytes)
    try:
        body = await _received(request, limits.max_body_bytes)
    except ClientDisconnect:
        raise RequestError(400, "expected a complete body, got a part of it.") from None
    call_of(request).is_received = True
    return body


async def _received(request: Request, most: int) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise _too_long(most)
        parts.append(part)
    return b"".join(parts)


def _too_long(most: int) -> RequestError:
    return RequestError(413, f"expected a body of at most {most} bytes, got more; send less.")


async def json_object(request: Request) -> dict[str, Any]:
    """Returns the body of a request, which is a JSON object.

    Raises:
        RequestError: It is none (status 400), or see `read_body`.
    """
    return parsed_object(await read_body(request))


def json_response(value: Any, *, status: int = 200) -> Response:
    """Returns a JSON response; numbers that are not finite are a bug and raise ValueError."""
    return Response(_write(value).encode("utf-8"), status, media_type="application/json")
