"""Asks MediaPipe's TextClassifier, which cuts the texts into pieces by itself."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from textrnn.export.workers.jobs import serve

__all__ = ["probe"]


def probe(model: str, texts: str, output: str, labels: list[str]) -> dict[str, Any]:
    """Runs a file on texts.

    Args:
        model: The file.
        texts: A .json file: a list of texts.
        output: The .npy file for the scores `[N, C]`.
        labels: In the order of the scores.

    Returns:
        The median time of a text in milliseconds.
    """
    from mediapipe.tasks.python import BaseOptions, text

    options = text.TextClassifierOptions(base_options=BaseOptions(model_asset_path=model))
    scores, times = [], []
    with text.TextClassifier.create_from_options(options) as classifier:
        for each in json.loads(Path(texts).read_text(encoding="utf-8")):
            start = time.perf_counter()
            result = classifier.classify(each)
            times.append(time.perf_counter() - start)
            found = {c.category_name: c.score for c in result.classifications[0].categories}
            scores.append([found[label] for label in labels])
    np.save(output, np.array(scores, np.float32))
    return {"latency_ms": float(np.median(times)) * 1e3}


if __name__ == "__main__":
    serve(probe)
