"""The contribution of each n-gram to a logit, for a classifier with `NGramLogits`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from textrnn.models.classifier import TextClassifier
from textrnn.runtime.explanation import NGramScore, token_shares

__all__ = ["NGramScore", "hidden_scores", "ngram_scores", "token_shares"]


def ngram_scores(
    model: TextClassifier, ids: Sequence[int] | np.ndarray, *, target: int
) -> tuple[NGramScore, ...]:
    """Returns the contribution of each n-gram of a text that has a weight.

    They are exact: their sum and the bias of the n-grams are the n-grams' part of the logit.

    Args:
        model: The model; one without n-grams has no contributions.
        ids: `[T]`, without padding.
        target: The place of the label.
    """
    if model.ngrams is None or not len(ids):
        return ()
    rows = model.ngrams.rows(tf.constant([ids], tf.int32))
    scores = []
    for order, row in enumerate(rows, start=1):
        weights = model.ngrams.weights_at(order, row)[0, :, target].numpy() / np.sqrt(len(ids))
        scores += [
            NGramScore(last - order + 1, last + 1, float(weights[last]))
            for last in map(int, np.flatnonzero(weights))
        ]
    return tuple(scores)


def hidden_scores(
    scores: Sequence[NGramScore], groups: Sequence[tuple[int, int]], steps: int
) -> np.ndarray:
    """Returns what is lost with each group of tokens: all n-grams that contain one of them, `[G]`.

    Args:
        scores: The contributions.
        groups: The place of the first token, and the place after the last, of each group.
        steps: T.
    """
    # n-grams that begin before a group ends, without those that end before it begins.
    starts, ends = np.zeros(steps + 1), np.zeros(steps + 1)
    for first, stop, score in scores:
        starts[first + 1] += score
        ends[stop] += score
    begun, ended = np.cumsum(starts), np.cumsum(ends)
    return np.array([begun[stop] - ended[first] for first, stop in groups])
