"""ONNX: ids [B,T], padded with 0 at the right -> scores [B,C], for ONNX Runtime and its like.

The conversion is tf2onnx's, in a process of its own; `export_onnx` is the worker's handler. Texts
are not cut into pieces in the file: the tokenizer is `tokenizer.model`, read by SentencePiece.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textrnn.export.workers.jobs import serve

if TYPE_CHECKING:
    from textrnn.models.classifier import TextClassifier

__all__ = ["OPSET", "export_onnx", "onnx_of"]

OPSET = 18


def export_onnx(run: str, output: str) -> dict[str, Any]:
    """Makes the file.

    Args:
        run: The run folder.
        output: The file to be made.
    """
    from textrnn.inference import run_folder

    classifier = run_folder.load(run)
    content = onnx_of(classifier.model, multi_label=classifier.config.task.multi_label)
    Path(output).write_bytes(content)
    return {"bytes": len(content)}


@contextlib.contextmanager
def _frequent_collection() -> Iterator[None]:
    """Makes Python free the converter's copies of the graph soon, while the context is open.

    tf2onnx copies the graph, weights included, before each of some forty optimisations. The copies
    refer to themselves, so that only a full collection frees them. Objects that exist already are
    exempt from it, which makes it quick; the second collection tells Python how few the others are,
    since it waits for a quarter more of them.
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


def onnx_of(model: TextClassifier, *, multi_label: bool) -> bytes:
    """The serialised ONNX model of a classifier."""
    import tensorflow as tf
    import tf2onnx

    from textrnn.export.graphs.forward import activate, count_tokens, forward
    from textrnn.export.graphs.recurrence_forms import STEPS

    @tf.function(
        input_signature=[tf.TensorSpec([None, None], tf.int32, name="ids")], autograph=False
    )
    def scores(ids: tf.Tensor) -> dict[str, tf.Tensor]:
        logits = forward(model, ids, count_tokens(ids), form=STEPS)
        return {"scores": activate(logits, multi_label=multi_label)}

    with _frequent_collection():
        made, _ = tf2onnx.convert.from_function(
            scores, input_signature=scores.input_signature, opset=OPSET
        )
    content: bytes = made.SerializeToString()
    return content


if __name__ == "__main__":
    serve(export_onnx)
