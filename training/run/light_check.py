"""Compares the answers of the light runtime with those of TensorFlow, before a run is written."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from textrnn.inference.classifier import TrainedClassifier
from textrnn.inference.runtime_file import light_model
from textrnn.progress import Reporter

__all__ = ["check_light_answers"]

CHECKED_TEXTS = 64
MOST_DIFFERENCE = 1e-4
"""The largest difference of a probability; one of 1e-5 has been seen."""


def check_light_answers(
    classifier: TrainedClassifier, texts: Sequence[str], reporter: Reporter
) -> bool:
    """Returns whether a run may be answered by the light runtime.

    The probabilities of some texts are computed in both ways. Their largest difference becomes a
    figure of the classifier, `light_runtime`.

    Args:
        classifier: The classifier.
        texts: Texts, of which the first `CHECKED_TEXTS` are read.
        reporter: Receives a note if the answers differ.
    """
    model = light_model(classifier)
    if model is None:
        return False
    checked = list(texts[:CHECKED_TEXTS])
    difference = np.abs(model.probabilities(checked) - classifier.probabilities(checked))
    largest = float(difference.max(initial=0.0))
    classifier.metrics["light_runtime"] = {"texts": len(checked), "largest_difference": largest}
    if largest <= MOST_DIFFERENCE:
        return True
    reporter.message(
        f"note: the probabilities of the light runtime differ by up to {largest:.2g} from "
        "TensorFlow's, so the run has no file for it, and TensorFlow answers; please report this."
    )
    return False
