"""Whether the server lives and is ready, and its metrics."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from .bodies import json_response
from .metrics import CONTENT_TYPE
from .serving import call_of, serving_of

__all__ = ["OPEN_PATHS", "routes"]

OPEN_PATHS = frozenset({"/healthz", "/readyz", "/v2/health/live", "/v2/health/ready"})
"""The paths that need no API key, because orchestrators and load balancers have none."""


async def healthz(request: Request) -> Response:
    """Tells that the process answers."""
    call_of(request).name = "health"
    return json_response({"status": "ok"})


async def readyz(request: Request) -> Response:
    """Tells whether the server wants requests: status 200, else 503."""
    call_of(request).name = "health"
    serving = serving_of(request)
    state = "stopping" if serving.is_stopping else "ready" if serving.is_ready else "loading"
    return json_response({"status": state}, status=200 if state == "ready" else 503)


async def metrics(request: Request) -> Response:
    """Returns the metrics in Prometheus' format."""
    call_of(request).name = "metrics"
    return Response(serving_of(request).metrics.exposition(), media_type=CONTENT_TYPE)


def routes() -> list[BaseRoute]:
    """The routes."""
    return [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/metrics", metrics),
    ]
