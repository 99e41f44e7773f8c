"""TFLite files of whole texts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from cases import assert_close
from tiny import LABELS, random_classifier

from textrnn.export.formats import tflite
from textrnn.export.formats.base import ExportContext
from textrnn.export.formats.tflite import TFLiteFormat, stage_model
from textrnn.export.formats.tflite_files import Conversion
from textrnn.export.manifest import Artefact
from textrnn.export.verification.probing import ProbeAnswer
from textrnn.models.label_space import LabelSpace


@pytest.mark.parametrize("multi_label", [False, True])
def test_the_staged_model_gives_the_probabilities(tmp_path: Path, multi_label: bool) -> None:
    model = random_classifier("lstm", "max")
    space = LabelSpace(LABELS, multi_label=multi_label)
    stage_model(model, tmp_path, length=4, form="fused", label_space=space)
    ids = np.array([[5, 9, 2, 0]], np.int32)
    classify = tf.saved_model.load(str(tmp_path)).signatures["serving_default"]
    assert_close(classify(ids=tf.constant(ids))["scores"], space.activation(model(ids)), atol=1e-5)


def test_only_the_first_length_has_quantised_files(
    context: Callable[..., ExportContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    def convert(conversions: list[Conversion], context: ExportContext) -> list[Artefact]:
        return [conversion.artefact for conversion in conversions]

    monkeypatch.setattr(tflite, "convert", convert)
    artefacts = TFLiteFormat().make(context(lengths=(4, 2), precisions=("float16",)))
    assert [(a.name, a.path, a.length, a.precision) for a in artefacts] == [
        ("model", "tflite/model.tflite", 4, "float32"),
        ("model_float16", "tflite/model_float16.tflite", 4, "float16"),
        ("model_2", "tflite/model_2.tflite", 2, "float32"),
    ]
    assert {a.form for a in artefacts} == {"parallel"}


@pytest.mark.parametrize(
    ("operations", "subgraphs", "passed"),
    [(["ADD"], 1, True), (["ADD"], 2, False), (["ADD", "WHILE"], 3, True)],
)
def test_only_a_loop_has_subgraphs_of_its_own(
    context: Callable[..., ExportContext], operations: list[str], subgraphs: int, passed: bool
) -> None:
    texts = context().reference
    artefact = Artefact("model", "tflite", "tflite/model.tflite", length=4)
    report = {"operations": operations, "subgraphs": subgraphs}
    answer = ProbeAnswer(texts, report, texts.cut(4)[1])
    checks = {check.name: check for check in TFLiteFormat().checks(artefact, answer)}
    assert checks["subgraphs"].passed is passed
    assert checks["drift"].passed
    assert checks["operations that are not built in"].passed
