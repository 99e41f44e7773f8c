"""ONNX for ONNX Runtime and similar runtimes: ids [B,T], padded with 0 -> scores [B,C].

The file does not tokenise texts: the tokenizer is `tokenizer.model`, a SentencePiece model. The
conversion is in `textrnn.export.workers.onnx_conversion`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from textrnn.export.formats.base import ExportContext, ExportFormat
from textrnn.export.formats.requirements import Requirement
from textrnn.export.manifest import Artefact, Check
from textrnn.export.reference import LONGEST_PIECEWISE
from textrnn.export.verification.checks import drift_check, label_check, none_check
from textrnn.export.verification.probing import ProbeAnswer, ProbeContext
from textrnn.export.workers.jobs import Job, run_jobs
from textrnn.inference.classifier import TrainedClassifier
from textrnn.models.classifier import TextClassifier

__all__ = ["ONNXFormat"]

BATCH_TEXTS = 16
LONGEST_TEXT = LONGEST_PIECEWISE


class ONNXFormat(ExportFormat):
    """`model.onnx`."""

    name = "onnx"
    requirement = Requirement(("tf2onnx", "onnx", "onnxruntime"), "textrnn[onnx]")
    probe = "textrnn.export.verification.probes.onnx"

    def unsuitable(self, classifier: TrainedClassifier) -> str | None:
        """See `ExportFormat.unsuitable`."""
        if "__main__" in _cell_modules(classifier.model):
            return "another process converts the model; define its cell in a module, not a script"
        return None

    def make(self, context: ExportContext) -> list[Artefact]:
        """See `ExportFormat.make`."""
        context.progress("converting to ONNX")
        artefact = Artefact("onnx", self.name, "onnx/model.onnx")
        output = context.folder / artefact.path
        output.parent.mkdir(exist_ok=True)
        job: Job = {
            "run": str(context.run),
            "output": str(output),
            "modules": _cell_modules(context.classifier.model),
        }
        (answer,) = run_jobs("textrnn.export.workers.onnx_conversion", [job])
        return [artefact.made_by(answer)]

    def question(self, artefact: Artefact, context: ProbeContext) -> Job:
        """See `ExportFormat.question`."""
        texts = context.scratch / "onnx.npz"
        ids, _ = context.reference.cut(LONGEST_TEXT)
        batches: dict[str, Any] = {}
        for start in range(0, len(ids), BATCH_TEXTS):
            batch = ids[start : start + BATCH_TEXTS]
            longest = max(int((batch > 0).sum(axis=1).max()), 1)
            batches[f"{start:06}"] = batch[:, :longest]
        np.savez(texts, **batches)
        return {"texts": str(texts), "output": str(context.scratch / f"{artefact.name}.npy")}

    def checks(self, artefact: Artefact, answer: ProbeAnswer) -> list[Check]:
        """See `ExportFormat.checks`."""
        expected = answer.reference.cut(LONGEST_TEXT)[1]
        return [
            label_check(
                expected,
                answer.reference.answers(answer.arrays),
                label_space=answer.reference.label_space,
            ),
            drift_check(expected, answer.arrays),
            none_check("foreign operations", answer.report["foreign_domains"]),
        ]


def _cell_modules(model: TextClassifier) -> list[str]:
    """Returns the modules outside textrnn that define the model's cells."""
    cells = [] if model.stack is None else model.stack.cells
    modules = {type(cell).__module__ for cell in cells}
    return sorted(module for module in modules if module.split(".")[0] != "textrnn")
