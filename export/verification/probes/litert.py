"""Runs a TFLite file in LiteRT, with one thread."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from textrnn.export.workers.jobs import serve

__all__ = ["LATENCY_RUNS", "contents", "probe"]

LATENCY_RUNS = 30


def probe(
    model: str,
    *,
    texts: str,
    output: str,
    stream_texts: str | None = None,
    stream_tokens: int = 0,
) -> dict[str, Any]:
    """Runs a TFLite file on texts.

    Args:
        model: The path of the file.
        texts: A .npy file of ids `[N, T]`.
        output: The path of the .npy file for the scores `[N, C]`.
        stream_texts: A .npy file of ids `[M, L]`, which `step` reads piece by piece. Its scores
            `[M, C]` follow the other scores.
        stream_tokens: The tokens K that `step` reads at a time.

    Returns:
        The values of `contents`, and `latency_ms`, the median time of a text in milliseconds.
    """
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=model, num_threads=1)
    signatures = interpreter.get_signature_list()
    name = "classify" if "classify" in signatures else next(iter(signatures))
    classify = interpreter.get_signature_runner(name)
    ids = np.load(texts, allow_pickle=False)
    scores = [classify(ids=row[np.newaxis])["scores"][0] for row in ids]
    times = []
    for row in np.resize(ids, (LATENCY_RUNS, ids.shape[1])):
        start = time.perf_counter()
        classify(ids=row[np.newaxis])
        times.append(time.perf_counter() - start)
    if stream_texts is not None:
        streamed_ids = np.load(stream_texts, allow_pickle=False)
        scores += _stream(interpreter, streamed_ids, stream_tokens=stream_tokens)
    np.save(output, np.stack(scores), allow_pickle=False)
    return {**contents(Path(model).read_bytes()), "latency_ms": float(np.median(times)) * 1e3}


def _stream(interpreter: Any, texts: np.ndarray, *, stream_tokens: int) -> list[np.ndarray]:
    """Returns the scores `[C]` of each text of ids `[M, L]`, read piece by piece."""
    init, step = (interpreter.get_signature_runner(name) for name in ("init", "step"))
    scores = []
    for row in texts:
        states = init()
        for start in range(0, len(row), stream_tokens):
            piece = row[np.newaxis, start : start + stream_tokens]
            states = step(ids=piece, **states)
            last_scores = states.pop("scores")
        scores.append(last_scores[0])
    return scores


def contents(model: bytes) -> dict[str, Any]:
    """Returns what a TFLite file consists of.

    Args:
        model: The content of the file.

    Returns:
        `operations`, the names of its operations, with the prefix `custom:` for those that are not
        built in, and `subgraphs`, their number.
    """
    from ai_edge_litert import schema_py_generated as schema

    names = {
        code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)
    }
    graph = schema.Model.GetRootAs(model, 0)
    operations = set()
    for i in range(graph.OperatorCodesLength()):
        code = graph.OperatorCodes(i)
        custom = code.CustomCode()
        operations.add(f"custom:{custom.decode()}" if custom else names[code.BuiltinCode()])
    return {"operations": sorted(operations), "subgraphs": graph.SubgraphsLength()}


if __name__ == "__main__":
    serve(probe)
