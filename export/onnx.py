"""ONNX: ids [B,T] -> scores [B,C], for ONNX Runtime and all that reads its files.

The conversion is tf2onnx's, in a process of its own; `export_onnx` is the worker's handler. Texts
are not cut into pieces in the file: the tokenizer is `tokenizer.model`, read by SentencePiece.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from textrnn.export.processes import serve

__all__ = ["OPSET", "export_onnx"]

OPSET = 18


def export_onnx(run: str, output: str) -> dict[str, Any]:
    """Makes the file.

    Args:
        run: The run folder.
        output: The file to be made.
    """
    import tensorflow as tf
    import tf2onnx

    from textrnn import bundle
    from textrnn.export.forward import activate, known_ids, plain_copy

    classifier = bundle.load(run)
    model = plain_copy(classifier.model)

    @tf.function(
        input_signature=[tf.TensorSpec([None, None], tf.int32, name="ids")], autograph=False
    )
    def scores(ids: tf.Tensor) -> dict[str, tf.Tensor]:
        logits = model.logits(known_ids(ids, model.vocab_size))
        return {"scores": activate(logits, multi_label=classifier.config.data.multi_label)}

    made, _ = tf2onnx.convert.from_function(
        scores, input_signature=scores.input_signature, opset=OPSET
    )
    content: bytes = made.SerializeToString()
    Path(output).write_bytes(content)
    return {"bytes": len(content)}


if __name__ == "__main__":
    serve(export_onnx)
