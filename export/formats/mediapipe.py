"""A TFLite file for MediaPipe's TextClassifier, which tokenises the texts itself.

    model_mediapipe.tflite   ids, mask, segment_ids [1,T+2] -> scores [1,C]

The file holds the tokenizer and the labels; see `textrnn.export.workers.mediapipe_metadata`.
"""

from __future__ import annotations

import json
from pathlib import Path

import tensorflow as tf

from textrnn.export.formats.base import ExportContext, ExportFormat
from textrnn.export.formats.requirements import Requirement
from textrnn.export.formats.tflite_files import FOLDER, Conversion, convert
from textrnn.export.graphs.forward import forward
from textrnn.export.graphs.tflite_source import save_source, traced
from textrnn.export.manifest import Artefact, Check
from textrnn.export.reference import Reference
from textrnn.export.verification.checks import drift_check, label_check
from textrnn.export.verification.probing import ProbeAnswer, ProbeContext
from textrnn.export.workers.jobs import Job, run_jobs
from textrnn.inference import run_folder
from textrnn.inference.classifier import TrainedClassifier
from textrnn.messages.wording import counted
from textrnn.models.classifier import TextClassifier
from textrnn.models.label_space import LabelSpace

__all__ = ["MediaPipeFormat", "stage_mediapipe"]


class MediaPipeFormat(ExportFormat):
    """`model_mediapipe.tflite`."""

    name = "mediapipe"
    requirement = Requirement(("mediapipe", "ai_edge_litert"), "textrnn[mediapipe]")
    probe = "textrnn.export.verification.probes.mediapipe"

    def unsuitable(self, classifier: TrainedClassifier) -> str | None:
        """See `ExportFormat.unsuitable`."""
        if classifier.config.tokenizer.lowercase:
            return None
        return (
            "MediaPipe converts texts to lower case, and the model was trained without `lowercase`"
        )

    def make(self, context: ExportContext) -> list[Artefact]:
        """See `ExportFormat.make`."""
        source, bare = context.scratch / "mediapipe", context.scratch / "bare.tflite"
        # MediaPipe rejects a file of several subgraphs, which a loop would make.
        form = context.recurrence_form(one_subgraph=True)
        length = _length(context)
        stage_mediapipe(
            context.classifier.model,
            source,
            length=length,
            form=form or "auto",
            label_space=context.classifier.label_space,
        )
        artefact = Artefact(
            "model_mediapipe",
            self.name,
            f"{FOLDER}/model_mediapipe.tflite",
            form=form,
            length=length,
        )
        (artefact,) = convert([Conversion(artefact, source, bare)], context)
        if artefact.reason is not None:
            return [artefact]
        job = _metadata_job(context, model=bare, output=context.folder / artefact.path)
        (answer,) = run_jobs("textrnn.export.workers.mediapipe_metadata", [job])
        return [artefact.made_by(answer)]

    def question(self, artefact: Artefact, context: ProbeContext) -> Job:
        """See `ExportFormat.question`."""
        reference = context.reference
        texts = context.scratch / "mediapipe.json"
        usable = [reference.readable[row] for row in _usable_rows(reference)]
        texts.write_text(json.dumps(usable), encoding="utf-8")
        return {
            "texts": str(texts),
            "output": str(context.scratch / f"{artefact.name}.npy"),
            "labels": list(reference.classifier.labels),
        }

    def checks(self, artefact: Artefact, answer: ProbeAnswer) -> list[Check]:
        """See `ExportFormat.checks`."""
        usable = _usable_rows(answer.reference)
        expected = answer.reference.cut(artefact.length or 1)[1][usable]
        predicted, label_space = (
            answer.reference.answers(answer.arrays),
            answer.reference.label_space,
        )
        return [
            label_check(expected, predicted, label_space=label_space),
            drift_check(expected, answer.arrays),
        ]


def _length(context: ExportContext) -> int:
    """Returns T: the file, which cuts texts itself, must cut them where the classifier does."""
    return min(context.length, context.classifier.config.batches.max_length or context.length)


def _metadata_job(context: ExportContext, *, model: Path, output: Path) -> Job:
    """Returns the job that adds the metadata to a converted file."""
    output.parent.mkdir(exist_ok=True)
    return {
        "model": str(model),
        "output": str(output),
        "tokenizer": str(context.folder / run_folder.TOKENIZER),
        "labels": list(context.classifier.labels),
        "name": context.options.name,
        "description": f"A recurrent text classifier made by textrnn; it reads the first "
        f"{counted(_length(context), 'token')} of a text. "
        + context.classifier.rule.instruction(
            multi_label=context.classifier.label_space.multi_label
        ),
    }


def _usable_rows(reference: Reference) -> list[int]:
    """Returns the rows of the texts without U+0000, which ends a text in MediaPipe's interface."""
    return [row for row, text in enumerate(reference.texts) if b"\0" not in text]


def stage_mediapipe(
    model: TextClassifier, folder: str | Path, *, length: int, form: str, label_space: LabelSpace
) -> None:
    """Writes the SavedModel that becomes `model_mediapipe.tflite`.

    The runtime puts one id before the tokens of a text and one id after them, [CLS] and [SEP] of
    BERT, which the vocabulary does not have. `mask` counts these two ids.

    Args:
        model: The classifier, in float32.
        folder: The folder of the SavedModel.
        length: T, in tokens.
        form: The form of the recurrences; see `textrnn.export.graphs.recurrence_forms`.
        label_space: The labels of the classifier.
    """
    inputs = [
        tf.TensorSpec([1, length + 2], tf.int32, name=name)
        for name in ("ids", "mask", "segment_ids")
    ]

    def classify(ids: tf.Tensor, mask: tf.Tensor, segment_ids: tf.Tensor) -> dict[str, tf.Tensor]:
        count = tf.maximum(tf.reduce_sum(mask, axis=1) - 2, 0)
        # The converter drops an input that is not used; this one is zero throughout.
        tokens = ids[:, 1 : length + 1] + 0 * segment_ids[:, 1 : length + 1]
        logits = forward(model, tokens, lengths=count, form=form)
        return {"scores": label_space.activation(logits)}

    save_source(folder, {"serving_default": traced(classify, *inputs)}, models=[model])
