"""The ONNX file."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from textrnn.export.formats import onnx
from textrnn.export.formats.base import ExportContext
from textrnn.export.formats.onnx import ONNXFormat
from textrnn.export.manifest import Artefact
from textrnn.export.verification.probing import ProbeAnswer, ProbeContext

ARTEFACT = Artefact("onnx", "onnx", "onnx/model.onnx")


def test_the_probe_gets_batches_no_longer_than_their_longest_text(
    context: Callable[..., ExportContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx, "BATCH_TEXTS", 5)
    monkeypatch.setattr(onnx, "LONGEST_TEXT", 12)
    export = context()
    job = ONNXFormat().question(ARTEFACT, ProbeContext(export.reference, export.scratch))
    with np.load(job["texts"]) as batches:
        rows = [np.pad(b, [(0, 0), (0, 12 - b.shape[1])]) for b in map(batches.get, batches)]
        assert max(len(batch) for batch in rows) == 5
        assert batches["000000"].shape[1] < 12
    np.testing.assert_array_equal(np.concatenate(rows), export.reference.cut(12)[0])


def test_a_domain_outside_the_standard_fails(
    context: Callable[..., ExportContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx, "LONGEST_TEXT", 12)
    texts = context().reference
    answer = ProbeAnswer(texts, {"foreign_domains": ["com.mine"]}, texts.cut(12)[1])
    failed = [check for check in ONNXFormat().checks(ARTEFACT, answer) if not check.passed]
    assert [(check.name, check.measured) for check in failed] == [
        ("foreign operations", ["com.mine"])
    ]


def test_the_error_of_the_converter_is_the_reason(
    context: Callable[..., ExportContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx, "run_jobs", lambda module, jobs: [{"error": "ValueError: no"}])
    (artefact,) = ONNXFormat().make(context())
    assert artefact.reason == "not made: ValueError: no"
