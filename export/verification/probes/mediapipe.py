"""Runs a file in MediaPipe's TextClassifier, which tokenises the texts itself."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from textrnn.export.workers.jobs import serve

__all__ = ["probe"]


def probe(model: str, *, texts: str, output: str, labels: list[str]) -> dict[str, Any]:
    """Runs a file on texts.

    Args:
        model: The path of the file.
        texts: A .json file with a list of texts.
        output: The path of the .npy file for the scores `[N, C]`.
        labels: The C label names, in the order of the scores.

    Returns:
        `latency_ms`, the median time of a text in milliseconds.
    """
    from mediapipe.tasks.python import BaseOptions, text

    options = text.TextClassifierOptions(base_options=BaseOptions(model_asset_path=model))
    scores, times = [], []
    with text.TextClassifier.create_from_options(options) as classifier:
        for content in json.loads(Path(texts).read_text(encoding="utf-8")):
            start = time.perf_counter()
            result = classifier.classify(content)
            times.append(time.perf_counter() - start)
            by_label = {c.category_name: c.score for c in result.classifications[0].categories}
            scores.append([by_label[label] for label in labels])
    np.save(output, np.array(scores, np.float32))
    return {"latency_ms": float(np.median(times)) * 1e3}


if __name__ == "__main__":
    serve(probe)
