"""Runs a file in ONNX Runtime, with one thread."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from textrnn.export.workers.jobs import serve

__all__ = ["probe"]


def probe(model: str, *, texts: str, output: str) -> dict[str, Any]:
    """Runs a file on texts.

    Args:
        model: The path of the file.
        texts: A .npz file of ids `[B, T]`, one array per batch.
        output: The path of the .npy file for the scores `[N, C]`.

    Returns:
        `foreign_domains`, the domains of operations that are not in the standard, and `latency_ms`,
        the median over the batches of the time per text in milliseconds.
    """
    import onnx
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    scores, times = [], []
    with np.load(texts, allow_pickle=False) as batches:
        for name in batches.files:
            start = time.perf_counter()
            scores.append(session.run(["scores"], {"ids": batches[name]})[0])
            times.append((time.perf_counter() - start) / len(batches[name]))
    np.save(output, np.concatenate(scores))
    foreign = {node.domain for node in onnx.load(model).graph.node} - {"", "ai.onnx"}
    return {"foreign_domains": sorted(foreign), "latency_ms": float(np.median(times)) * 1e3}


if __name__ == "__main__":
    serve(probe)
