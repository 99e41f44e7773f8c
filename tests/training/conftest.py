"""Fixtures of a whole training: data, settings, and a finished run."""

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


@pytest.fixture(autouse=True)
def quick_curves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spares the picture, a third of a tiny run; the run `finished` has it, for one."""
    monkeypatch.setattr(
        "textrnn.training.run.classifier_run.draw_curves",
        lambda path, *_, **__: path.write_bytes(b"\x89PNG"),
    )
