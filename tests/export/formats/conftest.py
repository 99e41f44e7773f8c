"""An export of the tiny run, and the answers that probes might give."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny import finished_run

from textrnn.export import reference
from textrnn.export.formats.base import ExportContext
from textrnn.export.options import ExportOptions
from textrnn.export.reference import Reference


@pytest.fixture
def context(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., ExportContext]:
    """Makes the context of an export of the tiny run; the arguments are options."""
    monkeypatch.setattr(reference, "MEGABYTE", 1000)
    run = finished_run(tmp_path_factory)

    def make(**options: Any) -> ExportContext:
        texts = Reference(run.classifier, ["a x b", "y"], targets=[1, 0])
        folder, scratch = tmp_path / "export", tmp_path / "scratch"
        folder.mkdir()
        scratch.mkdir()
        settings = {"lengths": (4,), **options}
        return ExportContext(
            run=run.folder,
            folder=folder,
            scratch=scratch,
            reference=texts,
            options=ExportOptions(**settings),
        )

    return make
