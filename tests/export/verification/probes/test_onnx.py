"""The probe of ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cases import assert_close
from tiny import LABELS, random_classifier

from textrnn.models.label_space import LabelSpace

pytest.importorskip("onnxruntime", reason="needs textrnn[onnx]")
pytest.importorskip("tf2onnx", reason="needs textrnn[onnx]")
from textrnn.export.verification.probes.onnx import probe
from textrnn.export.workers.onnx_conversion import onnx_of

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


@pytest.mark.thorough
def test_batches_are_classified_in_their_order(tmp_path: Path) -> None:
    model = random_classifier("none", "mean")
    space = LabelSpace(LABELS, multi_label=False)
    file = tmp_path / "model.onnx"
    file.write_bytes(onnx_of(model, label_space=space))
    batches = [np.array([[2, 3], [4, 0]], np.int32), np.array([[5, 6, 7]], np.int32)]
    np.savez(tmp_path / "texts.npz", *batches)
    report = probe(
        str(file), texts=str(tmp_path / "texts.npz"), output=str(tmp_path / "scores.npy")
    )
    wanted = np.concatenate([space.activation(model(batch)) for batch in batches])
    assert_close(np.load(tmp_path / "scores.npy"), wanted, atol=1e-5)
    assert report["foreign_domains"] == []
    assert report["latency_ms"] > 0
