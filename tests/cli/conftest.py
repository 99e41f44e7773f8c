"""Fixtures of the command line: a function that calls it, and data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tiny import Run, finished_run, labelled_texts, write_csv

from textrnn.cli.main import main

Command = Callable[..., Result]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that a command is called in."""
    monkeypatch.setenv("TEXTRNN_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def textrnn() -> Command:
    """Calls the command line in this process; a bug comes through as the exception it is."""

    def call(*arguments: object, code: int = 0, **settings: Any) -> Result:
        result = CliRunner().invoke(
            main, [str(a) for a in arguments], catch_exceptions=False, **settings
        )
        assert result.exit_code == code, result.output
        return result

    return call


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return finished_run(tmp_path_factory)


@pytest.fixture
def data(home: Path) -> Path:
    return write_csv(home / "letters.csv", labelled_texts(40))


@pytest.fixture(autouse=True)
def quick_curves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spares the picture, a third of a tiny run; the run `finished` has it, for one."""
    monkeypatch.setattr(
        "textrnn.training.run.classifier_run.draw_curves",
        lambda path, *_, **__: path.write_bytes(b"\x89PNG"),
    )
