"""Runs the folder of the light runtime."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from textrnn.export.workers.jobs import serve
from textrnn.runtime import load

__all__ = ["probe"]

HEAVY = {"tensorflow", "keras", "h5py", "scipy", "sklearn"}


def probe(model: str, *, texts: str, length: int, output: str) -> dict[str, Any]:
    """Answers texts.

    Args:
        model: The path of the folder.
        texts: A JSON file of texts.
        length: The number of tokens that are read of each text.
        output: The path of the .npy file for the scores `[N, C]`.

    Returns:
        `heavy_packages`, those that the process has imported, and `latency_ms`, the median time per
        text in milliseconds.
    """
    loaded = load(model)
    scores, times = [], []
    for text in json.loads(Path(texts).read_text(encoding="utf-8")):
        start = time.perf_counter()
        ids = np.array(loaded.tokenizer.encode(text)[:length], np.int32)
        scores.append(loaded.score_ids([ids])[0])
        times.append(time.perf_counter() - start)
    np.save(output, np.array(scores))
    return {
        "heavy_packages": sorted(HEAVY & set(sys.modules)),
        "latency_ms": float(np.median(times)) * 1e3,
    }


if __name__ == "__main__":
    serve(probe)
