"""Conversion to ONNX by tf2onnx, in a process of its own.

`export_onnx` is the worker's handler. The process imports TensorFlow when it gets a job.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textrnn.export.workers.jobs import serve

if TYPE_CHECKING:
    from textrnn.models.classifier import TextClassifier
    from textrnn.models.label_space import LabelSpace

__all__ = ["OPSET", "export_onnx", "onnx_of"]

OPSET = 18


def export_onnx(run: str, output: str, modules: Sequence[str] = ()) -> dict[str, Any]:
    """Writes the ONNX file of a run.

    Args:
        run: The run folder.
        output: The path of the ONNX file.
        modules: Names of the modules that define the run's own cells.

    Returns:
        `bytes`, the size of the file.
    """
    from textrnn.inference import run_folder

    for module in modules:
        importlib.import_module(module)
    classifier = run_folder.load(run)
    content = onnx_of(classifier.model, label_space=classifier.label_space)
    Path(output).write_bytes(content)
    return {"bytes": len(content)}


@contextlib.contextmanager
def _frequent_collection() -> Iterator[None]:
    """Makes Python free the converter's copies of the graph soon, while the context is open.

    tf2onnx copies the graph with its weights before each of about forty optimisations. The copies
    refer to themselves, so only a full collection frees them. Freezing the existing objects makes
    a full collection fast. Python delays the next one until the number of objects has grown by a
    quarter; the second `gc.collect` makes that number small.
    """
    thresholds = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.collect()
    gc.set_threshold(700, 3, 1)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


def onnx_of(model: TextClassifier, *, label_space: LabelSpace) -> bytes:
    """Returns the serialised ONNX model of a classifier.

    Args:
        model: The classifier, in float32.
        label_space: The labels of the classifier.
    """
    import tensorflow as tf
    import tf2onnx

    from textrnn.export.graphs.forward import count_tokens, forward
    from textrnn.export.graphs.recurrence_forms import STEPS

    @tf.function(
        input_signature=[tf.TensorSpec([None, None], tf.int32, name="ids")], autograph=False
    )
    def scores(ids: tf.Tensor) -> dict[str, tf.Tensor]:
        logits = forward(model, ids, lengths=count_tokens(ids), form=STEPS)
        return {"scores": label_space.activation(logits)}

    with _frequent_collection():
        onnx_model, _ = tf2onnx.convert.from_function(
            scores, input_signature=scores.input_signature, opset=OPSET
        )
    content: bytes = onnx_model.SerializeToString()
    return content


if __name__ == "__main__":
    serve(export_onnx)
