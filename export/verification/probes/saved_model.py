"""Runs a SavedModel in TensorFlow, with the loader of its C++ programs.

Python's own loader accepts files that the C++ programs reject.
"""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from textrnn.export.workers.jobs import serve

__all__ = ["probe"]

BATCH_BYTES = 200_000
"""Bytes of the texts that are tokenised together, padding included."""

LATENCY_TEXTS = 20


def probe(
    model: str, *, texts: str, output: str, longest: int, stream_tokens: int = 0
) -> dict[str, Any]:
    """Runs a SavedModel on N texts.

    Args:
        model: The folder of the SavedModel.
        texts: A .json file with a list of texts, each the base64 code of its bytes.
        output: The path of the .npz file. It holds `ids`, the ids of all texts in one row,
            `lengths` `[N]`, their number per text, and `from_ids` `[N, C]`, the scores of the ids.
            It holds `whole` `[M]`, the rows of the texts that are not too long, with their
            `labels` `[M]` and `scores` `[M, C]`. With `stream_tokens` it holds `stream` `[N, C]`,
            the scores of the texts read piece by piece.
        longest: The tokens that are read at once. A longer text is not classified as a text, and
            its ids are cut.
        stream_tokens: The tokens that `step` gets at a time; 0 if the model has no `step`.

    Returns:
        `operations`, the names of the graph's operations, `warm_up_requests`, their number, and
        `latency_ms`, the median time of a text in milliseconds.
    """
    import tensorflow as tf
    import tensorflow_text  # noqa: F401

    encoded = json.loads(Path(texts).read_text(encoding="utf-8"))
    raw = np.array([base64.b64decode(text) for text in encoded], dtype=object)
    with tf.Graph().as_default() as graph, tf.compat.v1.Session() as session:
        loaded = tf.compat.v1.saved_model.loader.load(session, ["serve"], model)
        server = _Server(session, loaded.signature_def)
        ids = _tokenize(server, raw)
        arrays = _classify(server, raw, ids=ids, longest=longest)
        if stream_tokens:
            arrays["stream"] = _stream(server, ids, longest=longest, stream_tokens=stream_tokens)
        latency_ms = _latency_ms(server, raw)
        definition = graph.as_graph_def()
    np.savez(output, **arrays)
    functions = [definition.node, *(function.node_def for function in definition.library.function)]
    return {
        "operations": sorted({node.op for nodes in functions for node in nodes}),
        "warm_up_requests": _warm_up_requests(Path(model)),
        "latency_ms": latency_ms,
    }


@dataclass(frozen=True)
class _Server:
    """A loaded SavedModel, whose signatures are run by their names."""

    session: Any
    signatures: Any

    def run(self, name: str, **inputs: Any) -> dict[str, Any]:
        """Returns the outputs of a signature."""
        signature = self.signatures[name]
        fetches = {key: info.name for key, info in signature.outputs.items()}
        feeds = {signature.inputs[key].name: value for key, value in inputs.items()}
        outputs: dict[str, Any] = self.session.run(fetches, feeds)
        return outputs


def _tokenize(server: _Server, raw: np.ndarray) -> list[np.ndarray]:
    """Returns the ids of each text."""
    ids: list[np.ndarray] = []
    for rows in _batches([len(text) for text in raw], most=BATCH_BYTES):
        ids += [row[row > 0] for row in server.run("tokenize", text=raw[rows])["ids"]]
    return ids


def _classify(
    server: _Server, raw: np.ndarray, *, ids: list[np.ndarray], longest: int
) -> dict[str, Any]:
    """Returns the arrays of `probe`, except `stream`."""
    whole: list[int] = []
    labels: list[str] = []
    scores: list[np.ndarray] = []
    from_ids: list[np.ndarray] = []
    for rows in _batches([len(row) for row in ids], most=longest):
        tokens = _padded([ids[row] for row in rows])
        if tokens.shape[1] <= longest:
            answer = server.run("serving_default", text=raw[rows])
            whole += list(rows)
            labels += [label.decode() for label in answer["label"]]
            scores += list(answer["scores"])
        from_ids += list(server.run("ids", ids=tokens[:, :longest])["scores"])
    return {
        "whole": np.array(whole),
        "labels": np.array(labels),
        "scores": np.stack(scores),
        "ids": np.concatenate(ids),
        "lengths": np.array([len(row) for row in ids]),
        "from_ids": np.stack(from_ids),
    }


def _stream(
    server: _Server, ids: list[np.ndarray], *, longest: int, stream_tokens: int
) -> np.ndarray:
    """Returns the scores `[N, C]` of texts that are read piece by piece."""
    scores: list[np.ndarray] = []
    for rows in _batches([len(row) for row in ids], most=longest):
        tokens = _padded([ids[row] for row in rows])
        states = server.run("init", batch_size=len(rows))
        for start in range(0, max(tokens.shape[1], 1), stream_tokens):
            states = server.run("step", ids=tokens[:, start : start + stream_tokens], **states)
            last_scores = states.pop("scores")
        scores += list(last_scores)
    return np.stack(scores)


def _latency_ms(server: _Server, raw: np.ndarray) -> float:
    """Returns the median time of long texts, without the longest tenth, in milliseconds."""
    by_length = raw[np.argsort([len(text) for text in raw])]
    times = []
    for text in by_length[: len(raw) * 9 // 10][-LATENCY_TEXTS:]:
        start = time.perf_counter()
        server.run("serving_default", text=[text])
        times.append(time.perf_counter() - start)
    return float(np.median(times)) * 1e3


def _padded(texts: list[np.ndarray]) -> np.ndarray:
    """Returns the ids `[B, T]` of texts, 0 for padding."""
    padded = np.zeros([len(texts), max(map(len, texts))], np.int32)
    for row, ids in zip(padded, texts, strict=True):
        row[: len(ids)] = ids
    return padded


def _batches(sizes: list[int], *, most: int) -> list[np.ndarray]:
    """Groups neighbouring texts: at most `most` bytes or tokens with padding, or one text."""
    batches, start = [], 0
    for end in range(1, len(sizes) + 1):
        size_with_next = max(sizes[start : end + 1]) * (end + 1 - start)
        if end == len(sizes) or size_with_next > most:
            batches.append(np.arange(start, end))
            start = end
    return batches


def _warm_up_requests(model: Path) -> int:
    """Returns the number of complete requests that TF Serving can warm up with."""
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
