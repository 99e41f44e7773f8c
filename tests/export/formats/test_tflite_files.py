"""The common part of the TFLite files."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tiny import MODEL

from textrnn.config.model import ModelConfig
from textrnn.export.formats import requirements, tflite_files
from textrnn.export.formats.base import ExportContext
from textrnn.export.formats.tflite_files import (
    Conversion,
    convert,
    litert_checks,
    litert_question,
)
from textrnn.export.manifest import Artefact
from textrnn.export.reference import Reference
from textrnn.export.verification.probing import ProbeAnswer, ProbeContext
from textrnn.inference.classifier import TrainedClassifier
from textrnn.models.classifier import TextClassifier


def conversion(context: ExportContext, name: str, precision: str) -> Conversion:
    artefact = Artefact(name, "tflite", f"tflite/{name}.tflite", precision=precision, length=4)
    return Conversion(artefact, context.scratch / "source", context.folder / artefact.path)


def test_a_file_that_cannot_be_made_has_a_reason(
    context: Callable[..., ExportContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs: list[dict[str, Any]] = []

    def run_jobs(module: str, asked: list[dict[str, Any]]) -> list[dict[str, Any]]:
        jobs.extend(asked)
        return [{"bytes": 1}, {"error": "ValueError: no"}]

    monkeypatch.setattr(tflite_files, "run_jobs", run_jobs)
    monkeypatch.setattr(requirements, "find_spec", lambda name: None)
    export = context()
    precisions = {"model": "float32", "small": "int4", "smaller": "dynamic_int8"}
    asked = [conversion(export, name, precision) for name, precision in precisions.items()]
    artefacts = convert(asked, export)
    assert [artefact.name for artefact in artefacts] == list(precisions)
    assert [artefact.reason for artefact in artefacts] == [
        None,
        "needs ai-edge-quantizer: pip install 'textrnn[int4]'",
        "not made: ValueError: no",
    ]
    assert [job["precision"] for job in jobs] == ["float32", "dynamic_int8"]


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("bidirectional", [True, False])
def test_litert_cannot_run_8_bits_in_both_directions(
    context: Callable[..., ExportContext], monkeypatch: pytest.MonkeyPatch, bidirectional: bool
) -> None:
    jobs: list[dict[str, Any]] = []

    def run_jobs(module: str, asked: list[dict[str, Any]]) -> list[dict[str, Any]]:
        jobs.extend(asked)
        return [{"bytes": 1}] * len(asked)

    monkeypatch.setattr(tflite_files, "run_jobs", run_jobs)
    export = context()
    tiny = export.classifier
    settings = {**MODEL, "cell": "minlstm", "bidirectional": bidirectional}
    model = TextClassifier(tiny.tokenizer.vocab_size, 2, config=ModelConfig(**settings))
    model.build((None, None))
    classifier = TrainedClassifier(model, tiny.tokenizer, tiny.labels, tiny.config)
    texts = Reference(classifier, ["a x b"], targets=[1])
    export = dataclasses.replace(export, reference=texts)
    names = ("float32", "dynamic_int8", "full_int8")
    artefacts = convert([conversion(export, name, name) for name in names], export)
    assert [artefact.reason for artefact in artefacts[:2]] == [None, None]
    if bidirectional:
        assert str(artefacts[2].reason).startswith("LiteRT cannot run models that read in both")
        assert len(jobs) == 2
    else:
        assert artefacts[2].reason is None
        assert np.load(jobs[2]["calibration"]).shape[1] == 4


def test_the_probe_gets_the_texts_cut_to_the_length(
    context: Callable[..., ExportContext],
) -> None:
    export = context()
    artefact = Artefact("model", "tflite", "tflite/model.tflite", length=3)
    job = litert_question(artefact, ProbeContext(export.reference, export.scratch))
    np.testing.assert_array_equal(np.load(job["texts"]), export.reference.cut(3)[0])


def test_an_operation_of_ones_own_fails(context: Callable[..., ExportContext]) -> None:
    texts = context().reference
    artefact = Artefact("model", "tflite", "tflite/model.tflite", length=4)
    answer = ProbeAnswer(texts, {"operations": ["ADD", "custom:Mine"]}, texts.cut(4)[1])
    failed = [check for check in litert_checks(artefact, answer) if not check.passed]
    assert [(check.name, check.measured) for check in failed] == [
        ("operations that are not built in", ["custom:Mine"])
    ]
