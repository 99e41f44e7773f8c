"""Every cell with every head, exported to every form, or a line that says why not."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from tiny import MODEL, finished_run

import textrnn
from textrnn.config.choices import CELLS, HEADS
from textrnn.config.model import ModelConfig
from textrnn.export import reference
from textrnn.export.run import ExportOptions, export
from textrnn.export.sample import VerificationSample
from textrnn.inference import run_folder
from textrnn.inference.classifier import TrainedClassifier
from textrnn.models.classifier import TextClassifier

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_and_head(
    cell: str, head: str, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch
) -> None:
    pytest.importorskip("mediapipe", reason="needs textrnn[mediapipe]")
    pytest.importorskip("onnxruntime", reason="needs textrnn[onnx]")
    monkeypatch.setattr(reference, "MEGABYTE", 20_000)
    trained = textrnn.load(finished_run(tmp_path_factory).folder)
    settings = {**MODEL, "cell": cell, "head": head, "bidirectional": False, "window": 2}
    model = TextClassifier(trained.tokenizer.vocab_size, 2, config=ModelConfig(**settings))
    model.build((None, None))
    rng = np.random.default_rng(0)
    for weight in model.weights:
        weight.assign(rng.normal(scale=0.5, size=weight.shape))
    config = dataclasses.replace(trained.config, model=model.config)
    run = TrainedClassifier(model, trained.tokenizer, trained.labels, config)
    run_folder.save(run, tmp_path / "run")
    options = ExportOptions(lengths=(16,), precisions=("float16", "dynamic_int8", "full_int8"))
    made = export(
        tmp_path / "run",
        tmp_path / "export",
        sample=VerificationSample(["a x b", "y c", "d e f"], [-1, -1, -1]),
        options=options,
    )
    assert {a.name: a.status for a in made if a.precision == "float32"} == dict.fromkeys(
        ["saved_model", "model", "model_mediapipe", "model_stream", "onnx", "runtime"], "verified"
    )
    for artefact in made:
        assert artefact.status == "verified" or artefact.reason
        assert "\n" not in str(artefact.reason)
