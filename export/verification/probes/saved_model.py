"""Asks TensorFlow, by the loader that its C++ programs use: Python's own hides faults."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from textrnn.export.workers.jobs import serve

__all__ = ["probe"]

BATCH_CHARS = 200_000
"""Bytes of the texts that are cut into tokens together, padding included."""


def probe(
    model: str, texts: str, output: str, longest: int, stream_tokens: int = 0
) -> dict[str, Any]:
    """Runs a SavedModel on texts.

    Args:
        model: The folder.
        texts: A .json file: a list of texts, each its bytes in base64.
        output: The .npz file for `ids` (all texts' behind each other), `lengths` [N], `from_ids`
            [N, C], with `stream_tokens` `stream` [N, C], and of the M texts at the places `whole`
            [M] `labels` [M] and `scores` [M, C].
        longest: Tokens that are read at once: a longer text is not classified as a text, and its
            ids are cut.
        stream_tokens: How many tokens `step` is given at a time; 0: it is not asked.

    Returns:
        The graph's operations, the number of warm-up requests, and the median time of a text in
        milliseconds.
    """
    import tensorflow as tf
    import tensorflow_text  # noqa: F401

    encoded = json.loads(Path(texts).read_text(encoding="utf-8"))
    raw = np.array([base64.b64decode(text) for text in encoded], dtype=object)
    with tf.Graph().as_default() as graph, tf.compat.v1.Session() as session:
        signatures = tf.compat.v1.saved_model.loader.load(session, ["serve"], model).signature_def

        def run(name: str, **inputs: Any) -> dict[str, Any]:
            signature = signatures[name]
            fetches = {key: info.name for key, info in signature.outputs.items()}
            feeds = {signature.inputs[key].name: value for key, value in inputs.items()}
            answer: dict[str, Any] = session.run(fetches, feeds)
            return answer

        whole, labels, scores, ids, from_ids, streamed, times = [], [], [], [], [], [], []
        for rows in _batches([len(text) for text in raw], most=BATCH_CHARS):
            ids += [row[row > 0] for row in run("tokenize", text=raw[rows])["ids"]]
        for rows in _batches([len(row) for row in ids], most=longest):
            tokens = _padded([ids[row] for row in rows])
            if tokens.shape[1] <= longest:
                answer = run("serving_default", text=raw[rows])
                whole += list(rows)
                labels += [label.decode() for label in answer["label"]]
                scores += list(answer["scores"])
            from_ids += list(run("ids", ids=tokens[:, :longest])["scores"])
            if stream_tokens:
                states = run("init", batch_size=len(rows))
                for start in range(0, max(tokens.shape[1], 1), stream_tokens):
                    states = run("step", ids=tokens[:, start : start + stream_tokens], **states)
                    last = states.pop("scores")
                streamed += list(last)
        for text in raw[np.argsort([len(text) for text in raw])][: len(raw) * 9 // 10][-20:]:
            start_time = time.perf_counter()
            run("serving_default", text=[text])
            times.append(time.perf_counter() - start_time)
        definition = graph.as_graph_def()
    arrays: dict[str, Any] = {
        "whole": np.array(whole),
        "labels": np.array(labels),
        "scores": np.stack(scores),
        "ids": np.concatenate(ids),
        "lengths": np.array([len(row) for row in ids]),
        "from_ids": np.stack(from_ids),
    }
    if stream_tokens:
        arrays["stream"] = np.stack(streamed)
    np.savez(output, **arrays)
    functions = [definition.node, *(function.node_def for function in definition.library.function)]
    return {
        "operations": sorted({node.op for nodes in functions for node in nodes}),
        "warm_up_requests": _warm_up_requests(Path(model)),
        "latency_ms": float(np.median(times)) * 1e3,
    }


def _padded(texts: list[np.ndarray]) -> np.ndarray:
    """The ids `[B, T]` of some texts, 0 for padding."""
    padded = np.zeros([len(texts), max(map(len, texts))], np.int32)
    for row, ids in zip(padded, texts, strict=True):
        row[: len(ids)] = ids
    return padded


def _batches(sizes: list[int], *, most: int) -> list[np.ndarray]:
    """Groups neighbouring texts: up to `most` bytes or tokens with padding, or a single text."""
    batches, start = [], 0
    for end in range(1, len(sizes) + 1):
        after = max(sizes[start : end + 1]) * (end + 1 - start)
        if end == len(sizes) or after > most:
            batches.append(np.arange(start, end))
            start = end
    return batches


def _warm_up_requests(model: Path) -> int:
    """How many whole requests are there for TF Serving to warm up with."""
    import tensorflow as tf
    from tensorflow_serving.apis import prediction_log_pb2

    path = model / "assets.extra" / "tf_serving_warmup_requests"
    if not path.is_file():
        return 0
    count = 0
    for record in tf.compat.v1.io.tf_record_iterator(str(path)):
        log = prediction_log_pb2.PredictionLog.FromString(record)
        count += "text" in log.predict_log.request.inputs
    return count


if __name__ == "__main__":
    serve(probe)
