"""What the tests of a whole training share: its data, its settings, and a finished run."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny import Run, finished_run, labelled_texts, run_config, write_csv

from textrnn.config.classifier import ClassifierRunConfig


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps tokenizers out of the user's cache."""
    monkeypatch.setenv("TEXTRNN_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return finished_run(tmp_path_factory)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "letters.csv", labelled_texts(40))


@pytest.fixture
def config(data: Path) -> ClassifierRunConfig:
    return run_config(data)
