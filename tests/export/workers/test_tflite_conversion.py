"""Conversion to TFLite."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cases import assert_close
from tiny import LABELS, random_classifier

from textrnn.export.formats.tflite import stage_model
from textrnn.export.workers.tflite_conversion import convert
from textrnn.models.label_space import LabelSpace

interpreter = pytest.importorskip("ai_edge_litert.interpreter")


@pytest.mark.filterwarnings("ignore:(?s).*tf.lite.Interpreter is deprecated:UserWarning")
@pytest.mark.parametrize(
    ("precision", "drift"),
    [
        ("float32", 1e-5),
        ("full_int8", 0.2),
        pytest.param("float16", 0.01, marks=pytest.mark.thorough),
        pytest.param("dynamic_int8", 0.1, marks=pytest.mark.thorough),
    ],
)
def test_every_precision_gives_about_the_same(
    tmp_path: Path, rng: np.random.Generator, precision: str, drift: float
) -> None:
    model = random_classifier("none", "mean")
    space = LabelSpace(LABELS, multi_label=False)
    stage_model(model, tmp_path / "source", length=4, form="auto", label_space=space)
    ids = rng.integers(1, 9, (20, 4)).astype(np.int32)
    np.save(tmp_path / "calibration.npy", ids)
    file = tmp_path / "model.tflite"
    answer = convert(
        str(tmp_path / "source"),
        str(file),
        precision=precision,
        calibration=str(tmp_path / "calibration.npy"),
    )
    assert answer == {"bytes": file.stat().st_size}
    loaded = interpreter.Interpreter(model_path=str(file), num_threads=1)
    classify = loaded.get_signature_runner("serving_default")
    scores = np.concatenate([classify(ids=row[np.newaxis])["scores"] for row in ids])
    assert_close(scores, space.activation(model(ids)), atol=drift)
