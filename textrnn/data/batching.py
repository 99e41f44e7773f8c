"""Batches of texts of similar length, with a limit on their tokens, in few distinct shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from textrnn.config.training import BatchesConfig
from textrnn.errors import ConfigError

__all__ = ["Batch", "BatchPlan", "bucket_lengths"]

LENGTH_STEP = 16
"""Padded lengths are multiples of this, so that similar lengths become equal."""


@dataclass(frozen=True)
class Batch:
    """Texts that are padded to the same length.

    Attributes:
        rows: The position of each text in the data, `[B]`; -1 for an empty row that fills the
            shape.
        length: T, the padded length.
    """

    rows: np.ndarray
    length: int


def bucket_lengths(lengths: np.ndarray, *, shapes: int) -> list[int]:
    """Returns the padded lengths, at most `shapes` of them, with the least padding in total.

    Uses dynamic programming over the lengths rounded up to multiples of `LENGTH_STEP`. With n(l)
    texts of length l,

        cost(l, k) = min over m < l of cost(m, k-1) + sum_{m < j <= l} n(j) (l - j)

    Args:
        lengths: The lengths of the texts in tokens, `[N]`.
        shapes: The largest number of padded lengths.

    Returns:
        The padded lengths, ascending; no length of a text is above the last one.

    >>> bucket_lengths(np.array([10, 12, 90, 100]), shapes=2)
    [16, 112]
    """
    rounded = np.maximum(-(-np.asarray(lengths) // LENGTH_STEP), 1) * LENGTH_STEP
    distinct, counts = np.unique(rounded, return_counts=True)
    texts = np.concatenate([[0], np.cumsum(counts)])
    tokens = np.concatenate([[0], np.cumsum(counts * distinct)])
    # waste[m, l]: the padding if the distinct lengths m .. l-1 are padded to the last of them.
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
    """The assignment of texts to batches, and the order of the batches.

    Each batch holds texts of one bucket of lengths, as many as `batch_tokens` allows. The texts
    that do not fill a batch of their bucket go to the next bucket, and the last batch is filled
    with empty rows. So the batches have no more distinct shapes than there are buckets.

    >>> plan = BatchPlan([np.array([5, 6]), np.array([7])], batch_tokens=32)
    >>> (batch,) = plan.batches()
    >>> plan.ids(batch).shape
    (2, 16)

    Args:
        texts: The token ids of each text.
        batch_tokens: The largest number of rows times padded length in a batch; a longer text is a
            batch of its own.
        batch_texts: The largest number of rows in a batch. 0 means no limit.
        max_length: The largest number of tokens in a text; the rest is cut off. 0 means no limit.
        shapes: The largest number of distinct shapes.

    Attributes:
        total_tokens: The number of tokens in all texts.
        cut_tokens: The number of these tokens that `max_length` cuts off.

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
            raise ConfigError("expected at least one text to batch, got none; check the data.")
        self.texts = texts
        lengths = np.array([len(text) for text in texts])
        self.total_tokens = int(lengths.sum())
        self.lengths = np.minimum(lengths, max_length) if max_length else lengths
        self.cut_tokens = self.total_tokens - int(self.lengths.sum())
        self.buckets = bucket_lengths(self.lengths, shapes=shapes)
        most_rows = min(batch_texts or len(texts), len(texts))
        self.bucket_rows = [min(max(1, batch_tokens // b), most_rows) for b in self.buckets]

    @classmethod
    def of(cls, texts: Sequence[np.ndarray], sizes: BatchesConfig) -> BatchPlan:
        """Makes the batches that some settings describe."""
        return cls(
            texts,
            batch_tokens=sizes.most_tokens,
            batch_texts=sizes.most_texts,
            max_length=sizes.max_length,
        )

    def batches(
        self, *, seed: int | Sequence[int] | None = None, rows: np.ndarray | None = None
    ) -> list[Batch]:
        """Returns the batches of one pass over the data.

        Args:
            rows: The places of the texts that are read, in which a place may be several times;
                None: every text once.
            seed: The seed that shuffles the texts within each bucket, and the batches. None keeps
                the order of the texts within each bucket, and short texts come first.
        """
        rng = None if seed is None else np.random.default_rng(seed)
        read = np.arange(len(self.lengths)) if rows is None else rows
        bucket = np.searchsorted(self.buckets, self.lengths[read])
        batches: list[Batch] = []
        leftover = np.empty(0, dtype=np.int64)
        for b, (length, most) in enumerate(zip(self.buckets, self.bucket_rows, strict=True)):
            members = read[bucket == b]
            if rng is not None:
                rng.shuffle(members)
            members = np.concatenate([leftover, members])
            full = len(members) // most * most
            batches.extend(Batch(part, length) for part in members[:full].reshape(-1, most))
            leftover = members[full:]
        if len(leftover):
            filler = np.full(self.bucket_rows[-1] - len(leftover), -1)
            batches.append(Batch(np.concatenate([leftover, filler]), self.buckets[-1]))
        if rng is not None:
            rng.shuffle(order := np.arange(len(batches)))
            batches = [batches[i] for i in order]
        return batches

    def ids(self, batch: Batch) -> np.ndarray:
        """Returns the token ids of a batch, `[B, T]`, with 0 for padding."""
        ids = np.zeros((len(batch.rows), batch.length), dtype=np.int32)
        for i, row in enumerate(batch.rows):
            if row >= 0:
                ids[i, : self.lengths[row]] = self.texts[row][: self.lengths[row]]
        return ids

    def count_tokens(self, batch: Batch) -> int:
        """Returns the number of tokens in a batch, without padding."""
        return int(self.lengths[batch.rows[batch.rows >= 0]].sum())

    def padding_share(self) -> float:
        """Returns the share of padding in all computed tokens, empty rows included."""
        computed = sum(len(batch.rows) * batch.length for batch in self.batches())
        return 1.0 - float(self.lengths.sum()) / computed
