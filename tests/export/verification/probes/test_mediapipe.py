"""The probe of MediaPipe, with a classifier in MediaPipe's place.

`tests/export/workers/test_mediapipe_metadata.py` runs the probe in MediaPipe itself.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from textrnn.export.verification.probes.mediapipe import probe


class LengthClassifier:
    """Gives the label `long` a tenth per character, and the most probable label first."""

    @classmethod
    def create_from_options(cls, options: Any) -> LengthClassifier:
        assert options == "model.tflite"
        return cls()

    def __enter__(self) -> LengthClassifier:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def classify(self, text: str) -> Any:
        long = len(text) / 10
        scores = sorted([(long, "long"), (1.0 - long, "short")], reverse=True)
        categories = [SimpleNamespace(category_name=name, score=score) for score, name in scores]
        return SimpleNamespace(classifications=[SimpleNamespace(categories=categories)])


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    python: Any = ModuleType("mediapipe.tasks.python")
    python.BaseOptions = lambda model_asset_path: model_asset_path
    python.text = SimpleNamespace(
        TextClassifier=LengthClassifier, TextClassifierOptions=lambda base_options: base_options
    )
    for name in ("mediapipe", "mediapipe.tasks"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, "mediapipe.tasks.python", python)


@pytest.mark.usefixtures("runtime")
def test_scores_are_in_the_order_of_the_labels(tmp_path: Path) -> None:
    (tmp_path / "texts.json").write_text(json.dumps(["ab", "abcdefgh"]), encoding="utf-8")
    report = probe(
        "model.tflite",
        texts=str(tmp_path / "texts.json"),
        output=str(tmp_path / "scores.npy"),
        labels=["short", "long"],
    )
    assert report["latency_ms"] >= 0
    np.testing.assert_allclose(np.load(tmp_path / "scores.npy"), [[0.8, 0.2], [0.2, 0.8]])
