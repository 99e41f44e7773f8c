"""Fixtures of the server: a function that serves a model in this process."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from letter_model import LetterModel, write_run
from starlette.testclient import TestClient

from textrnn.runtime.serve import ModelSource, ServeSettings
from textrnn.runtime.serve.app import create_app

Serve = Callable[..., TestClient]


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
