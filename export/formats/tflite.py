"""TFLite files for LiteRT, of built-in operations alone.

    model.tflite   ids [1,T] -> scores [1,C]

Ids are padded with 0 at the right. A text of more than T tokens must be cut to its first T tokens.
"""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf

from textrnn.export.formats.base import ExportContext, ExportFormat
from textrnn.export.formats.tflite_files import (
    FOLDER,
    LITERT,
    LITERT_PROBE,
    Conversion,
    convert,
    litert_checks,
    litert_question,
)
from textrnn.export.graphs.forward import count_tokens, forward
from textrnn.export.graphs.tflite_source import save_source, traced
from textrnn.export.manifest import Artefact, Check
from textrnn.export.verification.probing import ProbeAnswer, ProbeContext
from textrnn.export.workers.jobs import Job
from textrnn.models.classifier import TextClassifier
from textrnn.models.label_space import LabelSpace

__all__ = ["TFLiteFormat", "stage_model"]


class TFLiteFormat(ExportFormat):
    """`model.tflite` for each length, and quantised variants of the first length."""

    name = "tflite"
    requirement = LITERT
    probe = LITERT_PROBE

    def make(self, context: ExportContext) -> list[Artefact]:
        """See `ExportFormat.make`."""
        conversions = []
        for length in context.options.lengths:
            source = context.scratch / f"tflite_{length}"
            stage_model(
                context.classifier.model,
                source,
                length=length,
                form=context.recurrence_form() or "auto",
                label_space=context.classifier.label_space,
            )
            is_first = length == context.length
            for precision in ("float32", *(context.options.precisions if is_first else ())):
                artefact = self._artefact(context, length=length, precision=precision)
                output = context.folder / artefact.path
                conversions.append(Conversion(artefact, source, output))
        return convert(conversions, context)

    def _artefact(self, context: ExportContext, *, length: int, precision: str) -> Artefact:
        length_suffix = "" if length == context.length else f"_{length}"
        precision_suffix = "" if precision == "float32" else f"_{precision}"
        name = f"model{length_suffix}{precision_suffix}"
        return Artefact(
            name,
            self.name,
            f"{FOLDER}/{name}.tflite",
            precision=precision,
            form=context.recurrence_form(),
            length=length,
        )

    def question(self, artefact: Artefact, context: ProbeContext) -> Job:
        """See `ExportFormat.question`."""
        return litert_question(artefact, context)

    def checks(self, artefact: Artefact, answer: ProbeAnswer) -> list[Check]:
        """See `ExportFormat.checks`."""
        has_loops = "WHILE" in answer.report["operations"]
        subgraphs = answer.report["subgraphs"]
        wanted = "1, or those of a loop" if has_loops else "1"
        return [
            *litert_checks(artefact, answer),
            Check("subgraphs", subgraphs, wanted, has_loops or subgraphs == 1),
        ]


def stage_model(
    model: TextClassifier, folder: str | Path, *, length: int, form: str, label_space: LabelSpace
) -> None:
    """Writes the SavedModel that becomes `model.tflite`.

    Args:
        model: The classifier, in float32.
        folder: The folder of the SavedModel.
        length: T, in tokens.
        form: The form of the recurrences; see `textrnn.export.graphs.recurrence_forms`.
        label_space: The labels of the classifier.
    """

    def classify(ids: tf.Tensor) -> dict[str, tf.Tensor]:
        logits = forward(model, ids, lengths=count_tokens(ids), form=form)
        return {"scores": label_space.activation(logits)}

    ids = tf.TensorSpec([1, length], tf.int32, name="ids")
    save_source(folder, {"serving_default": traced(classify, ids)}, models=[model])
