"""A TFLite file that reads a text piece by piece, of built-in operations alone.

    model_stream.tflite   classify: ids [1,T] -> scores [1,C]
                          init: -> state_0 ..
                          step: ids [1,K], state_0 .. -> scores [1,C], state_0 ..

Ids are padded with 0 at the right. `step` reads K tokens at a time, as often as it is called.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
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
from textrnn.export.graphs.forward import count_tokens, forward, known_ids, plain_copy
from textrnn.export.graphs.streaming_state import (
    STREAM_TOKENS,
    named,
    nested,
    streaming_obstacle,
)
from textrnn.export.graphs.tflite_source import save_source, traced
from textrnn.export.manifest import Artefact, Check
from textrnn.export.reference import LONGEST_PIECEWISE, Reference
from textrnn.export.verification.checks import drift_check
from textrnn.export.verification.probing import ProbeAnswer, ProbeContext
from textrnn.export.workers.jobs import Job
from textrnn.inference.classifier import TrainedClassifier
from textrnn.models.classifier import TextClassifier
from textrnn.models.label_space import LabelSpace

__all__ = ["StreamFormat", "stage_stream"]


class StreamFormat(ExportFormat):
    """`model_stream.tflite`."""

    name = "stream"
    requirement = LITERT
    probe = LITERT_PROBE

    def unsuitable(self, classifier: TrainedClassifier) -> str | None:
        """See `ExportFormat.unsuitable`."""
        return streaming_obstacle(classifier.model)

    def make(self, context: ExportContext) -> list[Artefact]:
        """See `ExportFormat.make`."""
        source = context.scratch / "stream"
        form = context.recurrence_form()
        stage_stream(
            context.classifier.model,
            source,
            length=context.length,
            form=form or "auto",
            label_space=context.classifier.label_space,
        )
        artefact = Artefact(
            "model_stream",
            self.name,
            f"{FOLDER}/model_stream.tflite",
            form=form,
            length=context.length,
            streams=True,
        )
        return convert([Conversion(artefact, source, context.folder / artefact.path)], context)

    def question(self, artefact: Artefact, context: ProbeContext) -> Job:
        """See `ExportFormat.question`."""
        texts = context.scratch / "stream_texts.npy"
        np.save(texts, _stream_ids(context.reference))
        streamed = {"stream_texts": str(texts), "stream_tokens": STREAM_TOKENS}
        return {**litert_question(artefact, context), **streamed}

    def checks(self, artefact: Artefact, answer: ProbeAnswer) -> list[Check]:
        """See `ExportFormat.checks`."""
        ids = _stream_ids(answer.reference)
        expected = answer.reference.cut(ids.shape[1])[1]
        streamed = answer.arrays[len(expected) :]
        return [
            *litert_checks(artefact, answer),
            drift_check(expected, streamed, name="drift piece by piece"),
        ]


def _stream_ids(reference: Reference) -> np.ndarray:
    """Returns the ids `[N, L]` of the texts, L a multiple of K up to `LONGEST_PIECEWISE`."""
    longest = max(len(ids) for ids in reference.ids)
    pieces = -(-max(min(longest, LONGEST_PIECEWISE), 1) // STREAM_TOKENS)
    return reference.cut(pieces * STREAM_TOKENS)[0]


def stage_stream(
    model: TextClassifier, folder: str | Path, *, length: int, form: str, label_space: LabelSpace
) -> None:
    """Writes the SavedModel that becomes `model_stream.tflite`.

    Args:
        model: The classifier, in float32.
        folder: The folder of the SavedModel.
        length: T of `classify`, in tokens.
        form: The form of the recurrences in `classify`; see
            `textrnn.export.graphs.recurrence_forms`.
        label_space: The labels of the classifier.

    Raises:
        ConfigError: The model needs the whole text at once.
    """
    plain = plain_copy(model)

    def classify(ids: tf.Tensor) -> dict[str, tf.Tensor]:
        logits = forward(model, ids, lengths=count_tokens(ids), form=form)
        return {"scores": label_space.activation(logits)}

    def init() -> dict[str, tf.Tensor]:
        return named(plain.start(1))

    def step(ids: tf.Tensor, **states: tf.Tensor) -> dict[str, tf.Tensor]:
        state = nested(states, plain.start(1))
        logits, state = plain.advance_aligned(state, known_ids(ids, model.vocab_size))
        return {"scores": label_space.activation(logits), **named(state)}

    start = traced(init)
    state_specs = {
        name: tf.TensorSpec(state.shape, state.dtype, name=name)
        for name, state in start.structured_outputs.items()
    }
    piece = tf.TensorSpec([1, STREAM_TOKENS], tf.int32, name="ids")
    signatures = {
        "classify": traced(classify, tf.TensorSpec([1, length], tf.int32, name="ids")),
        "init": start,
        "step": traced(step, piece, **state_specs),
    }
    save_source(folder, signatures, models=[model, plain])
