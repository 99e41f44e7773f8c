"""Fits the n-gram classifier of a run.

A recurrence that is trained together with n-grams learns little, because the n-grams explain the
training texts already. So each is trained by itself; `textrnn.training.run.mixture` mixes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse

from textrnn.evaluation.logistic_regression import fit_logistic_regression
from textrnn.layers.ngrams import LARGEST_KEY, LARGEST_WEIGHT, NO_KEY, ONCE_IN, NGramTable
from textrnn.models.label_space import LabelSpace
from textrnn.models.targets import Targets
from textrnn.progress import Reporter, Silent

__all__ = [
    "NGramChoice",
    "candidates",
    "estimate_seconds",
    "fit_ngrams",
]

MANY_TOKENS = 2_000_000
"""The number of tokens from which on the n-grams are not chosen by the validation texts."""

MOST_BYTES = 2_000_000
"""The size of the weights of n-grams of several tokens; the most frequent ones are kept."""

MOST_TOKENS = 10_000_000
"""The number of tokens that are counted; of more training texts a sample is."""

MOST_WORK = 3_000_000_000
"""The number of counted n-grams times classes; of more training texts a sample is fitted."""

INVERSE_PENALTY = 1.0
"""scikit-learn's C. On seven data sets 1 was better than 0.1, and about as good as 10."""


@dataclass(frozen=True)
class NGramChoice:
    """The n-grams that may have weights.

    Attributes:
        orders: The number of tokens of the longest n-grams.
        least_texts: The number of training texts in which an n-gram of several tokens must occur.
    """

    orders: int
    least_texts: int


def candidates(orders: int | None, *, tokens: int) -> tuple[NGramChoice, ...]:
    """Returns the n-grams among which the validation texts choose.

    No choice suits all data. Pairs of two texts, all pairs, and all triples have by themselves the
    validation accuracy 78.6, 79.2 and 78.4 % on SST-2; 86.1, 84.5, 83.6 on TREC-6; 91.5, 90.7, 89.6
    on clinc150; 84.5, 85.5, 86.4 on Chinese reviews. Triples are better on IMDb's 7 million tokens
    (test accuracy 90.8 instead of 90.6 %), where a fit takes half a minute.

    >>> candidates(0, tokens=1000), candidates(None, tokens=7_000_000)
    ((), (NGramChoice(orders=3, least_texts=2),))

    Args:
        orders: The setting `ngrams`; None: the data decides; 0: no n-grams.
        tokens: The number of tokens of the training texts.
    """
    if orders == 0:
        return ()
    if tokens >= MANY_TOKENS:
        return (NGramChoice(orders or 3, 2),)
    if orders is None:
        return (NGramChoice(2, 2), NGramChoice(2, 1), NGramChoice(3, 1))
    return (NGramChoice(orders, 2), NGramChoice(orders, 1))


def estimate_seconds(tokens: int, *, orders: int, classes: int) -> float:
    """Returns an estimate of the seconds that `fit_ngrams` takes, from measurements on a CPU."""
    ngrams = min(tokens, MOST_TOKENS) * orders
    return 1.2e-6 * ngrams + 1.2e-7 * min(ngrams * classes, MOST_WORK)


def fit_ngrams(
    texts: Sequence[np.ndarray],
    targets: Targets,
    *,
    label_space: LabelSpace,
    vocab_size: int,
    choice: NGramChoice,
    sample_weights: np.ndarray | None = None,
    seed: int = 0,
    reporter: Reporter | None = None,
) -> NGramTable:
    """Fits a linear classifier of n-grams to texts by logistic regression, one class at a time.

    The features of a text are `idf_g n_g / sqrt(T)`: n_g counts the n-gram as `NGramLogits` does, T
    the tokens, and `idf_g = 1 + ln(texts / texts with g)`.

    Args:
        texts: The token ids `[T]` of each text.
        targets: `[N, C]` between 0 and 1, as for `fit_logistic_regression`.
        label_space: The labels.
        vocab_size: V.
        choice: Which n-grams have weights.
        sample_weights: `[N]`, the weight of each text in the loss; None: 1.
        seed: The seed of the sample, if there are too many texts, and of the optimizer.
        reporter: Receives the progress; None: nothing is reported.
    """
    rng = np.random.default_rng(seed)
    tokens = sum(map(len, texts))
    rows = _sample(len(texts), MOST_TOKENS / max(tokens, 1), rng)
    keys, features = _count(
        [texts[row] for row in rows], vocab_size, choice, classes=targets.shape[1]
    )
    share = MOST_WORK / max(features.nnz * targets.shape[1], 1)
    if share < 1:
        part = _sample(len(rows), share, rng)
        rows, features = rows[part], features[part]
    frequencies = np.bincount(features.indices, minlength=features.shape[1])
    idf = 1.0 + np.log(len(rows) / np.maximum(frequencies, 1))
    lengths = np.maximum([len(texts[row]) for row in rows], 1)
    # In place: of millions of texts the features take gigabytes.
    features.data *= idf[features.indices]
    features.data /= np.repeat(np.sqrt(lengths), np.diff(features.indptr))
    weights = None if sample_weights is None else sample_weights[rows]
    with (reporter or Silent()).step("n-grams", total=len(label_space.labels)) as advance:
        model = fit_logistic_regression(
            features,
            targets.take(rows, axis=0),
            label_space=label_space,
            inverse_penalty=INVERSE_PENALTY,
            sample_weights=weights,
            seed=seed,
            on_class=advance,
        )
    coefficients = model.coefficients * idf[:, np.newaxis]
    return _quantized(keys, coefficients, model.bias, vocab_size)


def _sample(count: int, share: float, rng: np.random.Generator) -> np.ndarray:
    """Returns the places of a share of texts, in order; all of them if the share is 1 or more."""
    if share >= 1:
        return np.arange(count)
    return np.sort(rng.permutation(count)[: max(1, int(share * count))])


def _count(
    texts: Sequence[np.ndarray], vocab_size: int, choice: NGramChoice, *, classes: int
) -> tuple[tuple[np.ndarray, ...], scipy.sparse.csr_matrix]:
    """Finds the n-grams of the texts that are frequent enough, and counts them.

    Returns:
        The keys of each order from 2 on (see `NGramTable`), and how often each n-gram occurs in
        each text, `[N, R_1 + .. + R_n]`.
    """
    orders = choice.orders
    # A zero after each text keeps n-grams from joining two texts: no key contains a zero.
    end = np.zeros(1, np.int32)
    ids = np.concatenate([part for text in texts for part in (text, end)]).astype(np.int32)
    owners = np.repeat(np.arange(len(texts), dtype=np.int32), [len(text) + 1 for text in texts])
    most_rows = MOST_BYTES // (4 + classes) // max(orders - 1, 1)
    if orders > 2:
        most_rows = min(most_rows, LARGEST_KEY // vocab_size)
    places, columns, offset = [], [], 0
    row, keys_of = ids, []
    for order in range(1, orders + 1):
        if order > 1:
            row, keys = _longer(
                row, ids[order - 1 :], owners, vocab_size, (choice.least_texts, most_rows)
            )
            keys_of.append(keys)
        found = _first_uses(row, owners)
        places.append(owners[found])
        columns.append(row[found] + np.int32(offset))
        offset += vocab_size if order == 1 else len(keys_of[-1])
    entries = np.ones(sum(map(len, places)))
    indices = (np.concatenate(places), np.concatenate(columns))
    return tuple(keys_of), scipy.sparse.csr_matrix((entries, indices), shape=(len(texts), offset))


def _first_uses(row: np.ndarray, owners: np.ndarray) -> np.ndarray:
    """Returns the places of n-grams that do not repeat one of the `ONCE_IN` places before.

    Args:
        row: The row of the n-gram at each place, 0 for none.
        owners: The text of each place.
    """
    places = np.flatnonzero(row)
    places = places[np.argsort(row[places], kind="stable")]
    before, after = places[:-1], places[1:]
    repeated = (
        (row[before] == row[after])
        & (after - before <= ONCE_IN)
        & (owners[before] == owners[after])
    )
    kept = np.concatenate([[True], ~repeated])[: len(places)]
    return np.asarray(places[kept])


def _longer(
    row: np.ndarray,
    last: np.ndarray,
    owners: np.ndarray,
    vocab_size: int,
    limits: tuple[int, int],
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the row of the n-gram that begins at each place, 0 if it has none, and the keys.

    Args:
        row: The rows of the n-grams that are shorter by one token.
        last: The last token of each n-gram.
        owners: The text of each place.
        vocab_size: V.
        limits: The least number of texts of an n-gram, and the largest number of keys.
    """
    least_texts, most_rows = limits
    row = row[:-1]
    wanted = np.where((row > 0) & (last > 0), row * np.int64(vocab_size) + last, 0)
    distinct, inverse = np.unique(wanted, return_inverse=True)
    # Each n-gram of each text once.
    pairs = np.unique(owners[: len(wanted)] * np.int64(len(distinct)) + inverse)
    frequencies = np.bincount(pairs % len(distinct), minlength=len(distinct))
    frequencies[distinct == 0] = 0
    kept = np.argsort(-frequencies, kind="stable")[: most_rows - 1]
    kept = np.sort(kept[frequencies[kept] >= least_texts])
    rows = np.zeros(len(distinct), np.int32)
    rows[kept] = np.arange(1, len(kept) + 1)
    return rows[inverse], np.concatenate([[NO_KEY], distinct[kept]]).astype(np.int32)


def _quantized(
    keys: tuple[np.ndarray, ...], coefficients: np.ndarray, bias: np.ndarray, vocab_size: int
) -> NGramTable:
    """Returns the table whose weights are the coefficients, rounded."""
    ends = np.cumsum([vocab_size, *map(len, keys)])
    weights, scales = [], []
    for part in np.split(coefficients, ends[:-1]):
        scale = float(np.abs(part).max()) / LARGEST_WEIGHT or 1.0
        rounded = np.round(part / scale).astype(np.int8)
        rounded[0] = 0
        weights.append(rounded)
        scales.append(scale)
    return NGramTable(keys, tuple(weights), tuple(scales), bias.astype(np.float32))
