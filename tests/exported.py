"""A run in every exported form, which the tests of the export share."""

from __future__ import annotations

import csv
import functools
from pathlib import Path
from typing import NamedTuple

import pytest
from filelock import FileLock
from tiny import (
    LABELS,
    QUIET,
    labelled_texts,
    run_config,
    shared_folder,
    without_graphs,
    write_csv,
)

from textrnn.export import manifest, reference
from textrnn.export.manifest import Artefact
from textrnn.export.run import ExportOptions, export
from textrnn.export.sample import VerificationSample
from textrnn.inference import run_folder
from textrnn.training.run.classifier import train

TEXTS = 10


class Exported(NamedTuple):
    """An export folder, the run it was made of, and what it was verified with."""

    run: Path
    folder: Path
    artefacts: dict[str, Artefact]
    texts: list[str]
    targets: list[int]


def forward_run(factory: pytest.TempPathFactory) -> Path:
    """A finished run that reads forwards only, by an LSTM."""
    return _forward_run(shared_folder(factory) / "forward")


@functools.cache
def _forward_run(home: Path) -> Path:
    with FileLock(f"{home}.lock"):
        if not run_folder.is_complete(home / "run"):
            home.mkdir()
            data = write_csv(home / "letters.csv", labelled_texts(40))
            config = run_config(data, cell="lstm", bidirectional=False, window=2, epochs=2)
            with pytest.MonkeyPatch.context() as patch, without_graphs():
                patch.setenv("TEXTRNN_CACHE_DIR", str(home / "cache"))
                train(config, home / "run", reporter=QUIET)
    return home / "run"


def exported_run(factory: pytest.TempPathFactory) -> Exported:
    """That run, exported in every format; tests must not change the folder."""
    return _exported_run(forward_run(factory))


@functools.cache
def _exported_run(run: Path) -> Exported:
    with (run.parent / "letters.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[:TEXTS]
    texts = [row["text"] for row in rows]
    targets = [LABELS.index(row["label"]) for row in rows]
    folder = run.parent / "export"
    options = ExportOptions(
        lengths=(16, 4), precisions=("dynamic_int8", "full_int8"), name="letters", version=7
    )
    with FileLock(f"{folder}.lock"):
        if not (folder / "manifest.json").is_file():
            with pytest.MonkeyPatch.context() as patch:
                # Long enough to be encoded in parts.
                patch.setattr(reference, "MEGABYTE", 100_000)
                sample = VerificationSample(texts, targets)
                export(run, folder, sample=sample, options=options)
        made, _ = manifest.read(folder)
    return Exported(run, folder, {a.name: a for a in made}, texts, targets)
