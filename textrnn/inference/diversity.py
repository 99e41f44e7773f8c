"""Chooses texts that differ from each other, so that no two labels teach the same."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence

import numpy as np

__all__ = ["choose_different"]

_COMPONENTS = 128
"""The number of dimensions of the space in which texts are compared."""
_ITERATIONS = 50


def choose_different(
    tokens: Sequence[Iterable[int]], *, weights: np.ndarray, count: int, seed: int = 0
) -> list[int]:
    """Returns the places of texts that differ, in ascending order.

    Weighted k-means divides the texts into `count` clusters, and of each cluster the text nearest
    to the centre is chosen. Texts are compared by tf-idf of their tokens, of length 1, in 128
    dimensions by a truncated singular value decomposition (latent semantic analysis). Texts with
    the same tokens are chosen only if there are not enough others.

    Source: Zhdanov, "Diverse mini-batch Active Learning", 2019, algorithm 1; its clusters are of
    features of the inputs, too.

    >>> choose_different([[2, 3], [2, 3], [7, 8]], weights=np.array([0.9, 0.8, 0.7]), count=2)
    [0, 2]

    Args:
        tokens: The token ids of each of N texts, the most important text first.
        weights: `[N]`, the importance of each text, not negative.
        count: The number of texts that are chosen; if N is not larger, all are.
        seed: The seed of the decomposition and of the clusters.
    """
    if len(tokens) <= count:
        return list(range(len(tokens)))
    firsts: dict[tuple[int, ...], int] = {}
    for place, ids in enumerate(tokens):
        firsts.setdefault(tuple(sorted(map(int, ids))), place)
    distinct = list(firsts.values())
    chosen = set(distinct)
    if len(distinct) > count:
        vectors = _vectors([tokens[place] for place in distinct], seed=seed)
        importance = np.maximum(np.asarray(weights, np.float64)[distinct], np.finfo(float).eps)
        chosen = {distinct[n] for n in _nearest_to_centres(vectors, importance, count, seed)}
    # There are fewer clusters than asked for if texts have the same vector.
    for places in (distinct, range(len(tokens))):
        for place in places:
            if len(chosen) == count:
                break
            chosen.add(place)
    return sorted(chosen)


def _vectors(tokens: Sequence[Iterable[int]], *, seed: int) -> np.ndarray:
    """Returns the vector `[N, D]` of each text, of length 1, or 0 for a text without tokens."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import normalize

    weighted = TfidfVectorizer(analyzer=list, sublinear_tf=True).fit_transform(tokens)
    if min(weighted.shape) <= _COMPONENTS:
        return np.asarray(weighted.toarray())
    reduced = TruncatedSVD(_COMPONENTS, random_state=seed).fit_transform(weighted)
    return np.asarray(normalize(reduced))


def _nearest_to_centres(
    vectors: np.ndarray, weights: np.ndarray, count: int, seed: int
) -> list[int]:
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    clusters = KMeans(count, n_init=1, max_iter=_ITERATIONS, random_state=seed)
    with warnings.catch_warnings():
        # Texts may have the same vector, which gives fewer clusters.
        warnings.simplefilter("ignore", ConvergenceWarning)
        numbers = clusters.fit_predict(vectors, sample_weight=weights)
    distances = np.square(vectors - clusters.cluster_centers_[numbers]).sum(axis=1)
    order = np.lexsort((distances, numbers))
    _, starts = np.unique(numbers[order], return_index=True)
    return [int(place) for place in order[starts]]
