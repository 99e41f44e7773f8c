"""The SavedModel for TF Serving and TensorFlow's C API.

`textrnn.export.graphs.serving_module` documents the signatures.
"""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from textrnn.export.formats.base import ExportContext, ExportFormat
from textrnn.export.formats.requirements import Requirement
from textrnn.export.graphs.serving_module import ServingModule
from textrnn.export.graphs.streaming_state import streaming_obstacle
from textrnn.export.manifest import Artefact, Check
from textrnn.export.reference import LONGEST_WHOLE
from textrnn.export.verification.checks import drift_check, label_check, none_check
from textrnn.export.verification.probing import ProbeAnswer, ProbeContext
from textrnn.export.workers.jobs import Job
from textrnn.inference.classifier import TrainedClassifier

__all__ = ["SavedModelFormat", "save_model", "write_warm_up"]

WARM_UP = "tf_serving_warmup_requests"
WARM_UP_TEXTS = 10

STREAM_TOKENS = 64
"""The tokens that the verification gives to `step` at a time."""

TEXT_OPERATIONS = {"SentencepieceOp", "SentencepieceTokenizeOp"}
"""The operations of TF Text that TF Serving has too."""


class SavedModelFormat(ExportFormat):
    """`saved_model/NAME/VERSION`, the layout of TF Serving."""

    name = "saved_model"
    requirement = Requirement(("tensorflow_text", "tensorflow_serving"), "textrnn[export]")
    probe = "textrnn.export.verification.probes.saved_model"

    def make(self, context: ExportContext) -> list[Artefact]:
        """See `ExportFormat.make`."""
        context.progress("writing the SavedModel")
        options, classifier = context.options, context.classifier
        complete = context.scratch / "saved_model"
        save_model(classifier, complete, plain_ops=options.plain_ops)
        texts = [text for text in context.reference.readable if text.strip()][:WARM_UP_TEXTS]
        write_warm_up(complete, texts, name=options.name)
        path = Path("saved_model") / options.name / str(options.version)
        _move(complete, context.folder / path)
        streams = streaming_obstacle(classifier.model) is None
        return [Artefact("saved_model", self.name, path.as_posix(), streams=streams)]

    def question(self, artefact: Artefact, context: ProbeContext) -> Job:
        """See `ExportFormat.question`."""
        texts = context.scratch / "texts.json"
        encoded = [base64.b64encode(text).decode() for text in context.reference.texts]
        texts.write_text(json.dumps(encoded), encoding="utf-8")
        return {
            "texts": str(texts),
            "output": str(context.scratch / f"{artefact.name}.npz"),
            "longest": LONGEST_WHOLE,
            "stream_tokens": STREAM_TOKENS if artefact.streams else 0,
        }

    def checks(self, artefact: Artefact, answer: ProbeAnswer) -> list[Check]:
        """See `ExportFormat.checks`."""
        reference, arrays = answer.reference, answer.arrays
        whole = arrays["whole"]
        labels = list(reference.classifier.labels)
        predicted = np.array(
            [labels.index(label) if label else -1 for label in arrays["labels"]], np.int64
        )
        warm_ups = answer.report["warm_up_requests"]
        checks = [
            label_check(reference.scores[whole], predicted, label_space=reference.label_space),
            drift_check(reference.scores[whole], arrays["scores"]),
            drift_check(reference.scores, arrays["from_ids"], name="drift from ids"),
            _token_check(answer),
            none_check("foreign operations", _foreign_operations(answer.report["operations"])),
            Check("warm-up requests", warm_ups, "at least 1", warm_ups > 0),
        ]
        if "stream" in arrays:
            streamed = arrays["stream"]
            checks.append(
                drift_check(reference.whole_scores, streamed, name="drift piece by piece")
            )
        return checks


def _token_check(answer: ProbeAnswer) -> Check:
    """Checks the number of texts that the graph tokenises differently from the classifier."""
    reference, arrays = answer.reference, answer.arrays
    max_length = reference.classifier.config.batches.max_length or None
    ends = np.cumsum(arrays["lengths"])[:-1]
    differing = sum(
        not np.array_equal(graph_ids, ids[:max_length])
        for graph_ids, ids in zip(np.split(arrays["ids"], ends), reference.ids, strict=True)
    )
    return Check("texts with other tokens", differing, "0", differing == 0)


def _foreign_operations(operations: Sequence[str]) -> list[str]:
    """Returns the operations that TF Serving does not have."""
    python = [name for name in operations if "PyFunc" in name]
    text = [name for name in operations if "piece" in name and name not in TEXT_OPERATIONS]
    return python + text


def save_model(
    classifier: TrainedClassifier, folder: str | Path, *, plain_ops: bool = False
) -> None:
    """Writes the SavedModel.

    Args:
        classifier: The trained classifier.
        folder: The folder of the SavedModel, which is made. For TF Serving it is the folder of a
            version.
        plain_ops: Whether the graph tokenises texts with core operations alone.

    Raises:
        ConfigError: Core operations cannot do what the tokenizer does.
        ModelError: The tokenizer follows rules of another version of textrnn, with `plain_ops`.
    """
    module = ServingModule(classifier, plain_ops=plain_ops)
    # A server does not use the gradients of the recurrence's kernels.
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    tf.saved_model.save(module, str(folder), signatures=module.signatures(), options=options)


def write_warm_up(folder: str | Path, texts: Sequence[str], *, name: str) -> None:
    """Writes the requests that TF Serving sends to itself before it reports to be ready.

    The first calls of a graph are slow. Warm-up requests are these first calls.

    Args:
        folder: The folder of the SavedModel.
        texts: The texts; each becomes one request.
        name: The name by which the server knows the model.
    """
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    path = Path(folder) / "assets.extra" / WARM_UP
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for text in texts:
            request = predict_pb2.PredictRequest()
            request.model_spec.name = name
            request.model_spec.signature_name = "serving_default"
            request.inputs["text"].CopyFrom(tf.make_tensor_proto([text.encode("utf-8")]))
            log = prediction_log_pb2.PredictLog(request=request)
            record = prediction_log_pb2.PredictionLog(predict_log=log)
            writer.write(record.SerializeToString())


def _move(source: Path, target: Path) -> None:
    """Moves a folder and replaces the folder that may be there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        shutil.rmtree(target)
    shutil.move(source, target)
