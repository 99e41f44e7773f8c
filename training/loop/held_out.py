"""The measurement of a language model on the texts that are held out."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from textrnn.inference.language_model import LikelihoodScorer
from textrnn.models.language_model import LanguageModel
from textrnn.progress import Reporter

__all__ = ["HeldOutTexts", "Measurement", "sample_texts"]

MEASURED_TOKENS = 100_000
"""The approximate number of tokens that the model is measured on, with the whole vocabulary."""

TRIAL = 20
"""One in this many texts is measured before the first update, to estimate the time of all."""

USUAL = 0.99
"""The share of the held-out texts whose bits per token do not exceed the unusual bits."""


@dataclass(frozen=True)
class Measurement:
    """The figures of a language model.

    Attributes:
        bits: The bits per token in each direction.
        unusual: The bits per token that only 1% of the texts exceed, read forwards.
    """

    bits: list[float]
    unusual: float


class HeldOutTexts:
    """Measures a language model on a random sample of the held-out texts.

    Args:
        model: The language model, built.
        texts: The ids of all held-out texts.
        seed: The seed of the sample.
    """

    def __init__(self, model: LanguageModel, texts: Sequence[np.ndarray], *, seed: int) -> None:
        self._scorers = [LikelihoodScorer(model, direction=d) for d in range(model.directions)]
        self._texts = sample_texts(texts, MEASURED_TOKENS, seed=seed)

    def measure(self, *, reporter: Reporter) -> Measurement:
        """Measures the model with its current weights."""
        return self._measure(self._texts, reporter=reporter)

    def estimate_seconds(self, *, reporter: Reporter) -> float:
        """Returns the estimated seconds of `measure`, from a small part of its texts."""
        part = self._texts[: -(-len(self._texts) // TRIAL)]
        self._measure([part[0][:1]], reporter=reporter)  # Traces the graphs.
        begin = time.monotonic()
        self._measure(part, reporter=reporter)
        return (time.monotonic() - begin) * sum(map(len, self._texts)) / sum(map(len, part))

    def _measure(self, texts: Sequence[np.ndarray], *, reporter: Reporter) -> Measurement:
        bits = []
        unusual = 0.0
        with reporter.step("texts held out", total=len(texts) * len(self._scorers)) as advance:
            for direction, scorer in enumerate(self._scorers):
                scores = scorer(texts, on_batch=advance)
                if direction == 0:
                    text_bits = [-float(score.mean()) / math.log(2.0) for score in scores]
                    unusual = float(np.quantile(text_bits, USUAL))
                joined = np.concatenate(scores)
                bits.append(-float(joined.mean(dtype=np.float64)) / math.log(2.0))
        return Measurement(bits, unusual)


def sample_texts(texts: Sequence[np.ndarray], tokens: int, *, seed: int) -> list[np.ndarray]:
    """Draws texts until they have a number of tokens; the last one may be cut."""
    # A file may be sorted by source or by time, so its first texts may not be typical.
    order = np.random.default_rng([seed, len("measured")]).permutation(len(texts))
    sample: list[np.ndarray] = []
    for place in order:
        text = texts[place][:tokens]
        if len(text):
            sample.append(text)
            tokens -= len(text)
    return sample
