"""Fixtures of the server: a function that serves a model in this process."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from letter_model import LetterModel, write_run
from starlette.testclient import TestClient

from textrnn.runtime.serve import ModelSource, ServeSettings
from textrnn.runtime.serve.app import create_app
from textrnn.runtime.serve.observation import REQUEST_LOG

Serve = Callable[..., TestClient]


@pytest.fixture(autouse=True)
def loggers() -> Iterator[None]:
    """Gives the loggers back as they were: a server that is started here sets them."""
    found = [logging.getLogger(name) for name in ("textrnn.serve", REQUEST_LOG, "uvicorn.error")]
    before = [(log.handlers, log.propagate, log.level) for log in found]
    yield
    for log, (handlers, propagate, level) in zip(found, before, strict=True):
        log.handlers, log.propagate = handlers, propagate
        log.setLevel(level)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Serve]:
    """Serves models by the names of the keyword arguments, by default one named `letters`."""
    with contextlib.ExitStack() as stack:

        def start(
            model: LetterModel | None = None,
            *,
            others: dict[str, Any] | None = None,
            **settings: Any,
        ) -> TestClient:
            models = {"letters": model or LetterModel(), **(others or {})}
            sources = [ModelSource(name, write_run(tmp_path / name)) for name in models]
            app = create_app(
                sources,
                lambda folder: models[folder.name],
                settings=ServeSettings.from_dict(settings),
            )
            return stack.enter_context(TestClient(app))

        yield start


@pytest.fixture
def client(served: Serve) -> TestClient:
    """A client of a server with one model, `letters`, and the default settings."""
    return served()
