"""The ASGI application: all routes behind their limits."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from . import (
    examination,
    explanation,
    front_page,
    health,
    likelihood,
    open_inference,
    openapi_page,
    streaming,
    tensorflow_serving,
)
from .authentication import ApiKeys, Authentication
from .failures import Failures, http_exception
from .limits import RequestLimits
from .metrics import Metrics
from .model import Load
from .observation import Observation
from .reload import keep_versions_current
from .serving import Serving
from .settings import ServeSettings
from .store import ModelStore
from .versions import ModelSource

__all__ = ["create_app"]


def create_app(
    sources: Sequence[ModelSource], load: Load, *, settings: ServeSettings | None = None
) -> Starlette:
    """Loads the models and returns the application that serves them.

    Args:
        sources: The models.
        load: Loads a run folder, such as `textrnn.runtime.load`.
        settings: The settings; those of `listening` and `stopping` are the server's.

    Raises:
        TextRNNError: A model cannot be loaded, two models have one name, or the file of keys
            cannot be used.
    """
    settings = settings or ServeSettings()
    key_file = settings.access.api_key_file
    keys = ApiKeys() if key_file is None else ApiKeys.from_file(Path(key_file))
    metrics = Metrics()
    threads = ThreadPoolExecutor(settings.batching.threads, thread_name_prefix="textrnn-model")
    store = ModelStore(sources, load, settings=settings, threads=threads, metrics=metrics)
    store.load_all()
    serving = Serving(store, settings, metrics, threads)
    app = Starlette(
        routes=[
            *tensorflow_serving.routes(),
            *open_inference.routes(),
            *explanation.routes(),
            *examination.routes(),
            *likelihood.routes(),
            *streaming.routes(),
            *health.routes(),
            *openapi_page.routes(),
            *front_page.routes(),
        ],
        middleware=_middleware(serving, keys),
        exception_handlers={HTTPException: http_exception},
        lifespan=_lifespan,
    )
    app.state.serving, app.state.keys = serving, keys
    # A path with a slash too much is unknown; a redirection would turn POST into GET.
    app.router.redirect_slashes = False
    return app


def _middleware(serving: Serving, keys: ApiKeys) -> list[Middleware]:
    """Returns what each request passes, from the outside to the inside."""
    origins = list(serving.settings.access.cors_origins)
    cors = [
        Middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "X-API-Key"],
        )
    ]
    open_paths = health.OPEN_PATHS | openapi_page.OPEN_PATHS | front_page.OPEN_PATHS
    return [
        Middleware(Observation, serving),
        *(cors if origins else []),
        Middleware(Failures),
        *([Middleware(Authentication, keys, open_paths)] if keys else []),
        Middleware(RequestLimits, serving, health.OPEN_PATHS),
    ]


@contextlib.asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    """Looks for new versions while the server runs."""
    serving: Serving = app.state.serving
    seconds = serving.settings.versions.poll_seconds
    task = asyncio.create_task(keep_versions_current(serving.store, seconds))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        serving.threads.shutdown(wait=False, cancel_futures=True)
