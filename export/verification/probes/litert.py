"""Asks LiteRT, one thread."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from textrnn.export.workers.jobs import serve

__all__ = ["LATENCY_RUNS", "probe"]

LATENCY_RUNS = 30


def probe(
    model: str,
    texts: str,
    output: str,
    stream_texts: str | None = None,
    stream_tokens: int = 0,
) -> dict[str, Any]:
    """Runs a TFLite file on texts.

    Args:
        model: The file.
        texts: A .npy file of ids `[N, T]`.
        output: The .npy file for the scores `[N, C]`.
        stream_texts: A .npy file of ids `[M, L]`, read by `step`; what it answers goes behind the
            other scores.
        stream_tokens: K of `step`.

    Returns:
        The file's operations, its subgraphs, and the median time of a run in milliseconds.
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
        init, step = (interpreter.get_signature_runner(name) for name in ("init", "step"))
        for row in np.load(stream_texts, allow_pickle=False):
            states = init()
            for start_token in range(0, len(row), stream_tokens):
                piece = row[np.newaxis, start_token : start_token + stream_tokens]
                states = step(ids=piece, **states)
                answer = states.pop("scores")
            scores.append(answer[0])
    np.save(output, np.stack(scores))
    return {**contents(Path(model).read_bytes()), "latency_ms": float(np.median(times)) * 1e3}


def contents(model: bytes) -> dict[str, Any]:
    """The names of a file's operations, `custom:NAME` of those not built in, and its subgraphs."""
    from ai_edge_litert import schema_py_generated as schema

    names = {
        code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)
    }
    graph = schema.Model.GetRootAs(model, 0)
    found = set()
    for i in range(graph.OperatorCodesLength()):
        code = graph.OperatorCodes(i)
        custom = code.CustomCode()
        found.add(f"custom:{custom.decode()}" if custom else names[code.BuiltinCode()])
    return {"operations": sorted(found), "subgraphs": graph.SubgraphsLength()}


if __name__ == "__main__":
    serve(probe)
