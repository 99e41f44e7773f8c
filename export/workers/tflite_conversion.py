"""Conversions to TFLite, in a process of their own because the converters can crash.

`convert` is the worker's handler. The precisions:

    float32       weights as trained
    float16       weights in half precision
    dynamic_int8  weights in 8 bits; inputs of large products are quantised at run time
    int4          weights in 4 bits, computation in float32
    full_int8     weights and activations in 8 bits, with ranges from calibration texts
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from textrnn.export.workers.jobs import serve

__all__ = ["convert"]


def convert(
    source: str, output: str, *, precision: str, calibration: str | None = None
) -> dict[str, Any]:
    """Writes a TFLite file.

    Args:
        source: A SavedModel; for `int4` the float32 file that was made of it.
        output: The path of the TFLite file.
        precision: One of `EXPORT_PRECISIONS`.
        calibration: A .npy file of ids `[N, T]`, for `full_int8`.

    Returns:
        `bytes`, the size of the file.
    """
    if precision == "int4":
        content = _int4(source)
    else:
        content = _tensorflow(source, precision=precision, calibration=calibration)
    Path(output).write_bytes(content)
    return {"bytes": len(content)}


def _tensorflow(source: str, *, precision: str, calibration: str | None) -> bytes:
    import numpy as np
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_saved_model(
        source, signature_keys=sorted(tf.saved_model.load(source).signatures)
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    if precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if precision == "full_int8" and calibration is not None:
        texts = np.load(calibration, allow_pickle=False)

        def samples() -> Iterator[dict[str, Any]]:
            for ids in texts:
                yield {"ids": ids[np.newaxis]}

        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.representative_dataset = samples
    content: bytes = converter.convert()
    return content


def _int4(source: str) -> bytes:
    from ai_edge_quantizer import quantizer, recipe

    result = quantizer.Quantizer(source, recipe.weight_only_wi4_afp32()).quantize()
    return bytes(result.quantized_model)


if __name__ == "__main__":
    serve(convert)
