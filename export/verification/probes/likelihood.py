"""Runs the folder of a language model in the light runtime."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from textrnn.export.verification.probes.runtime import HEAVY
from textrnn.export.workers.jobs import serve
from textrnn.runtime import load_language_model

__all__ = ["probe"]


def probe(model: str, *, texts: str, length: int, output: str) -> dict[str, Any]:
    """Computes log-likelihoods.

    Args:
        model: The path of the folder.
        texts: A JSON file of texts.
        length: The number of tokens that are read of each text.
        output: The path of the .npy file for the log-likelihoods `[D, N]` in D directions.

    Returns:
        `heavy_packages`, those that the process has imported, and `latency_ms`, the median time per
        text in milliseconds, forwards.
    """
    loaded = load_language_model(model)
    sums, times = [], []
    rows = [
        np.array(loaded.tokenizer.encode(text)[:length], np.int32)
        for text in json.loads(Path(texts).read_text(encoding="utf-8"))
    ]
    for direction in range(loaded.architecture.directions):
        for row in rows:
            start = time.perf_counter()
            (scores,) = loaded.score_ids([row], direction=direction)
            times.append(time.perf_counter() - start)
            sums.append(scores.sum(dtype=np.float64))
    np.save(output, np.array(sums).reshape(-1, len(rows)))
    return {
        "heavy_packages": sorted(HEAVY & set(sys.modules)),
        "latency_ms": float(np.median(times[: len(rows)])) * 1e3,
    }


if __name__ == "__main__":
    serve(probe)
