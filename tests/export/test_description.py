"""The description of an exported model for other programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tiny import finished_run

from textrnn.export import reference
from textrnn.export.description import describe
from textrnn.export.formats.base import ExportContext
from textrnn.export.options import ExportOptions
from textrnn.export.reference import Reference


def test_the_run_is_found_from_the_export_folder(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reference, "MEGABYTE", 1000)
    run = finished_run(tmp_path_factory)
    texts = Reference(run.classifier, ["a"], targets=[-1])
    options = ExportOptions(name="letters", version=7)
    context = ExportContext(
        run=run.folder, folder=tmp_path, scratch=tmp_path, reference=texts, options=options
    )
    about = describe(context, verified_texts=1)
    json.dumps(about)
    assert (tmp_path / about["run"]).resolve() == run.folder.resolve()
    assert (about["name"], about["version"]) == ("letters", 7)
    assert (about["labels"], about["multi_label"]) == (["neg", "pos"], False)
    assert about["tokenizer"]["vocab_size"] == run.classifier.tokenizer.vocab_size
    assert about["verified_with_texts"] == 1
