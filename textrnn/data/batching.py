"""Batches of texts of like length, under a budget of tokens, in few distinct shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from textrnn.errors import ConfigError

__all__ = ["Batch", "BatchPlan", "bucket_lengths"]

LENGTH_STEP = 16
"""Padded lengths are multiples of this, so that like lengths fall together."""


@dataclass(frozen=True)
class Batch:
    """Texts padded to one length.

    Attributes:
        rows: Places of the texts in the data, `[B]`; -1 for a row that only fills the shape.
        length: T, the length they are padded to.
    """

    rows: np.ndarray
    length: int


def bucket_lengths(lengths: np.ndarray, *, shapes: int) -> list[int]:
    """The padded lengths, at most `shapes` of them, that cost the least padding in total.

    Dynamic programming over the lengths rounded up to multiples of `LENGTH_STEP`: with n(l) texts
    of length l, `cost(l, k) = min over m < l of cost(m, k-1) + sum_{m < j <= l} n(j) (l - j)`.

    Args:
        lengths: The texts' lengths in tokens, `[N]`.
        shapes: How many padded lengths there may be.

    Returns:
        The padded lengths, ascending; the last is no less than any of `lengths`.
    """
    rounded = np.maximum(-(-np.asarray(lengths) // LENGTH_STEP), 1) * LENGTH_STEP
    distinct, counts = np.unique(rounded, return_counts=True)
    texts = np.concatenate([[0], np.cumsum(counts)])
    tokens = np.concatenate([[0], np.cumsum(counts * distinct)])
    # waste[m, l]: padding when the distinct lengths m .. l-1 are all padded to length l-1's.
    top = np.concatenate([[0], distinct])
    waste = top[None, :] * (texts[None, :] - texts[:, None]) - (tokens[None, :] - tokens[:, None])
    waste = np.where(np.tril(np.ones_like(waste, dtype=bool)), np.inf, waste)
    cost = waste[0].copy()
    cost[0] = 0.0
    choices = []
    for _ in range(min(shapes, len(distinct)) - 1):
        totals = cost[:, None] + waste
        choices.append(np.argmin(totals, axis=0))
        cost = np.minimum(totals.min(axis=0), np.where(np.arange(len(cost)) == 0, 0.0, np.inf))
    boundaries = [len(distinct)]
    for choice in reversed(choices):
        boundaries.append(int(choice[boundaries[-1]]))
    return [int(distinct[b - 1]) for b in reversed(boundaries) if b > 0]


class BatchPlan:
    """Deals texts into batches: which texts stand together, and in which order.

    Each batch holds texts of one bucket of lengths, as many as fit the budget of tokens. Texts
    left over in one bucket go up into the next, and the last batch is filled up with empty rows,
    so that the batches have as many distinct shapes as there are buckets, or fewer.

    Args:
        texts: Token ids of each text.
        batch_tokens: The budget: rows times padded length of a batch; a longer text stands alone.
        batch_texts: Most rows of a batch, however short. 0: no limit.
        max_length: Longest text in tokens; the rest is cut. 0: no limit.
        shapes: How many distinct shapes there may be.

    Attributes:
        cut_tokens: How many tokens `max_length` cut off, of `total_tokens`.

    Raises:
        ConfigError: There is no text.
    """

    def __init__(
        self,
        texts: Sequence[np.ndarray],
        *,
        batch_tokens: int,
        batch_texts: int = 0,
        max_length: int = 0,
        shapes: int = 24,
    ) -> None:
        if len(texts) == 0:
            raise ConfigError("expected at least one text to batch, got none.")
        self.texts = texts
        lengths = np.array([len(text) for text in texts])
        self.total_tokens = int(lengths.sum())
        self.lengths = np.minimum(lengths, max_length) if max_length else lengths
        self.cut_tokens = self.total_tokens - int(self.lengths.sum())
        self.buckets = bucket_lengths(self.lengths, shapes=shapes)
        most = min(batch_texts or len(texts), len(texts))
        self.bucket_rows = [min(max(1, batch_tokens // b), most) for b in self.buckets]

    def batches(self, *, seed: int | Sequence[int] | None = None) -> list[Batch]:
        """All batches of one pass over the data.

        Args:
            seed: Of the shuffling, within the buckets and of the batches. None: texts stay in
                order within their bucket, short ones first.
        """
        rng = None if seed is None else np.random.default_rng(seed)
        bucket = np.searchsorted(self.buckets, self.lengths)
        dealt: list[Batch] = []
        left = np.empty(0, dtype=np.int64)
        for b, (length, rows) in enumerate(zip(self.buckets, self.bucket_rows, strict=True)):
            members = np.flatnonzero(bucket == b)
            if rng is not None:
                rng.shuffle(members)
            members = np.concatenate([left, members])
            full = len(members) // rows * rows
            dealt.extend(Batch(part, length) for part in members[:full].reshape(-1, rows))
            left = members[full:]
        if len(left):
            filler = np.full(self.bucket_rows[-1] - len(left), -1)
            dealt.append(Batch(np.concatenate([left, filler]), self.buckets[-1]))
        if rng is not None:
            rng.shuffle(order := np.arange(len(dealt)))
            dealt = [dealt[i] for i in order]
        return dealt

    def ids(self, batch: Batch) -> np.ndarray:
        """The token ids `[B, T]` of a batch, 0 for padding."""
        ids = np.zeros((len(batch.rows), batch.length), dtype=np.int32)
        for i, row in enumerate(batch.rows):
            if row >= 0:
                ids[i, : self.lengths[row]] = self.texts[row][: self.lengths[row]]
        return ids

    def padding_share(self) -> float:
        """The share of padding among all tokens that are computed, fillers included."""
        computed = sum(len(batch.rows) * batch.length for batch in self.batches())
        return 1.0 - float(self.lengths.sum()) / computed
