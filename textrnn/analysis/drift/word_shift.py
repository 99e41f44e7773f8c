"""The distance between the words of two sets of texts, and how large it is by chance.

The distance is the Jensen-Shannon divergence of the frequencies of the tokens (Lin 1991,
"Divergence Measures Based on the Shannon Entropy"), in bits: 0 for equal frequencies, 1 for no
common token. It is above 0 for any two samples, the more the smaller they are. So random samples of
the training texts are compared with the rest of them, which shows the distance that chance makes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse
from scipy.spatial.distance import jensenshannon

__all__ = ["LEAST_TEXTS", "ChanceDistances", "divergence", "token_counts"]

LEAST_TEXTS = 20
"""The least number of texts whose words are compared."""

DRAWS = 40
"""The number of random samples of each size."""

_TINY = 1e-12

MOST_TEXTS = 20_000
"""The largest number of training texts that samples are drawn from."""


def token_counts(ids: Sequence[np.ndarray], *, vocab_size: int) -> np.ndarray:
    """Returns the number of occurrences `[V]` of each token in some texts.

    Args:
        ids: The token ids `[T]` of each text.
        vocab_size: V.
    """
    every = np.concatenate([np.asarray(text, np.int64) for text in ids] or [np.zeros(0, np.int64)])
    return np.bincount(every, minlength=vocab_size)


def divergence(first: np.ndarray, second: np.ndarray) -> float:
    """Returns the Jensen-Shannon divergence of two counts `[V]` of tokens, in bits.

    >>> round(divergence(np.array([1, 1]), np.array([2, 0])), 3)
    0.311
    """
    if not first.sum() or not second.sum():
        return 0.0 if first.sum() == second.sum() else 1.0
    # Rounding can make the square root of 0 NaN.
    return float(np.nan_to_num(jensenshannon(first, second, base=2))) ** 2


@dataclass(frozen=True)
class ChanceDistances:
    """The divergence of random samples of the training texts from the rest of them.

    The divergence of two samples of m and n tokens of the same texts depends on `m n / (m + n)`.

    Attributes:
        tokens: That number for each size of the samples, ascending.
        means: The mean divergence of the samples of each size.
        deviations: The standard deviation of the divergence for each size.
    """

    tokens: tuple[float, ...]
    means: tuple[float, ...]
    deviations: tuple[float, ...]

    @classmethod
    def measure(
        cls, ids: Sequence[np.ndarray], *, vocab_size: int, seed: int = 0
    ) -> ChanceDistances:
        """Draws samples of twice as many texts each time, up to half of them.

        Args:
            ids: The token ids of each training text.
            vocab_size: The number of tokens.
            seed: The seed of the samples.
        """
        rng = np.random.default_rng(seed)
        if len(ids) > MOST_TEXTS:
            ids = [ids[place] for place in rng.choice(len(ids), MOST_TEXTS, replace=False)]
        table = _count_table(ids, vocab_size)
        total = np.asarray(table.sum(axis=0)).ravel()
        rows = []
        for size in _sizes(len(ids)):
            draws = (rng.choice(len(ids), size, replace=False) for _ in range(DRAWS))
            samples = [np.asarray(table[draw].sum(axis=0)).ravel() for draw in draws]
            distances = [divergence(sample, total - sample) for sample in samples]
            drawn = float(np.mean([sample.sum() for sample in samples]))
            tokens = _effective(drawn, float(total.sum()) - drawn)
            rows.append((tokens, float(np.mean(distances)), float(np.std(distances, ddof=1))))
        tokens_of, means, deviations = zip(*rows, strict=True)
        return cls(tokens_of, means, deviations)

    def expected(self, tokens: int, reference: int) -> tuple[float, float]:
        """Returns the mean and the standard deviation of the divergence of two samples.

        Both are interpolated between two sizes, and continued beyond the largest one, on a
        logarithmic scale.

        Args:
            tokens: The number of tokens of one sample.
            reference: The number of tokens of the other one.
        """
        size = np.log(max(_effective(tokens, reference), self.tokens[0]))
        sizes, values = (
            np.log(self.tokens),
            np.log(np.maximum([self.means, self.deviations], _TINY)),
        )
        if len(sizes) == 1:
            return self.means[0], self.deviations[0]
        place = int(np.clip(np.searchsorted(sizes, size), 1, len(sizes) - 1))
        share = (size - sizes[place - 1]) / (sizes[place] - sizes[place - 1])
        mean, deviation = np.exp(values[:, place - 1] * (1 - share) + values[:, place] * share)
        return float(mean), float(deviation)


def _sizes(texts: int) -> list[int]:
    """Returns the numbers of texts of the samples: doubled each time, and last a half of all."""
    half = max(texts // 2, 1)
    doublings = [LEAST_TEXTS << power for power in range(half.bit_length())]
    return [*(size for size in doublings if size < 0.75 * half), half]


def _effective(first: float, second: float) -> float:
    return first * second / max(first + second, 1.0)


def _count_table(ids: Sequence[np.ndarray], vocab_size: int) -> scipy.sparse.csr_matrix:
    """Returns the number of each token in each text, `[N, V]`."""
    lengths = [len(text) for text in ids]
    every = np.concatenate([np.asarray(text, np.int64) for text in ids])
    starts = np.concatenate([[0], np.cumsum(lengths)])
    shape = (len(ids), vocab_size)
    return scipy.sparse.csr_matrix((np.ones(len(every), np.int64), every, starts), shape=shape)
