"""The probe of LiteRT."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cases import assert_close
from tiny import LABELS, random_classifier

from textrnn.export.formats.stream import stage_stream
from textrnn.export.workers.tflite_conversion import convert
from textrnn.models.label_space import LabelSpace

pytest.importorskip("ai_edge_litert")
from textrnn.export.verification.probes.litert import contents, probe


@pytest.mark.thorough
def test_texts_are_classified_whole_and_piece_by_piece(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    model = random_classifier("mingru", "mean", bidirectional=False)
    space = LabelSpace(LABELS, multi_label=False)
    stage_stream(model, tmp_path / "source", length=4, form="parallel", label_space=space)
    file = tmp_path / "model.tflite"
    convert(str(tmp_path / "source"), str(file), precision="float32")
    ids = rng.integers(1, 9, (3, 16)).astype(np.int32)
    np.save(tmp_path / "texts.npy", ids[:, :4])
    np.save(tmp_path / "streams.npy", ids)
    report = probe(
        str(file),
        texts=str(tmp_path / "texts.npy"),
        output=str(tmp_path / "scores.npy"),
        stream_texts=str(tmp_path / "streams.npy"),
        stream_tokens=8,
    )
    scores = np.load(tmp_path / "scores.npy")
    assert_close(scores[:3], space.activation(model(ids[:, :4])), atol=1e-5)
    assert_close(scores[3:], space.activation(model(ids)), atol=1e-5)
    assert report["latency_ms"] > 0
    assert "FULLY_CONNECTED" in report["operations"]
    assert contents(file.read_bytes())["subgraphs"] == report["subgraphs"] == 3
