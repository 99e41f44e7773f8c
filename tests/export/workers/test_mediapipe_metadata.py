"""The metadata for MediaPipe, and the probe that reads them."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from tiny import finished_run

from textrnn.export.formats.mediapipe import stage_mediapipe
from textrnn.export.workers.jobs import run_jobs
from textrnn.export.workers.tflite_conversion import convert

pytest.importorskip("mediapipe", reason="needs textrnn[mediapipe]")


@pytest.mark.process
def test_mediapipe_reads_the_tokenizer_and_the_labels(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    run = finished_run(tmp_path_factory)
    classifier = run.classifier
    space = classifier.label_space
    stage_mediapipe(
        classifier.model, tmp_path / "source", length=8, form="parallel", label_space=space
    )
    bare, file = tmp_path / "bare.tflite", tmp_path / "model.tflite"
    convert(str(tmp_path / "source"), str(bare), precision="float32")
    job = {
        "model": str(bare),
        "output": str(file),
        "tokenizer": str(run.folder / "tokenizer.model"),
        "labels": list(classifier.labels),
        "name": "letters",
        "description": "It finds x and y.",
    }
    (answer,) = run_jobs("textrnn.export.workers.mediapipe_metadata", [job])
    assert answer == {"bytes": file.stat().st_size}
    with zipfile.ZipFile(file) as archive:
        assert archive.read("labels.txt").decode().split() == list(classifier.labels)
    texts = ["a x b", "y", ""]
    (tmp_path / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
    question = {
        "model": str(file),
        "texts": str(tmp_path / "texts.json"),
        "output": str(tmp_path / "scores.npy"),
        "labels": list(classifier.labels),
    }
    (report,) = run_jobs("textrnn.export.verification.probes.mediapipe", [question])
    assert report["latency_ms"] > 0
    scores = np.load(tmp_path / "scores.npy")
    np.testing.assert_allclose(scores, classifier.probabilities(texts), atol=1e-5)
