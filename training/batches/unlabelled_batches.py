"""Batches of texts without labels, one per update."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from textrnn.config.training import BatchesConfig
from textrnn.data.batching import BatchPlan

__all__ = ["UnlabelledBatches"]

_ORDER = 1
"""Makes the seeds of the order differ from those of the labelled texts."""


@dataclass(frozen=True)
class UnlabelledBatches:
    """Texts without labels in batches, in a new order for each pass over them.

    >>> plan = BatchPlan([np.array([2, 3]), np.array([4])], batch_tokens=64)
    >>> batches = UnlabelledBatches(plan, seed=0)
    >>> next(batches.ids(first=0, multiple=4)).shape[0]
    4

    Attributes:
        plan: The texts and their division into batches.
        seed: The seed of the order.
    """

    plan: BatchPlan
    seed: int

    @property
    def mean_rows(self) -> float:
        """The number of texts in an average batch."""
        return len(self.plan.texts) / len(self.plan.batches())

    def resized(self, sizes: BatchesConfig) -> UnlabelledBatches:
        """Returns the texts in batches of other sizes."""
        return UnlabelledBatches(BatchPlan.of(self.plan.texts, sizes), self.seed)

    def ids(self, *, first: int, multiple: int) -> Iterator[np.ndarray]:
        """Yields the ids `[B, T]` of the batch of each update, without end.

        Args:
            first: The number of the first update; a resumed training continues with its own.
            multiple: B is filled up to a multiple of this number.
        """
        epoch, place = divmod(first, len(self.plan.batches()))
        while True:
            for batch in self.plan.batches(seed=[self.seed, epoch, _ORDER])[place:]:
                ids = self.plan.ids(batch)
                yield np.pad(ids, [(0, -len(ids) % multiple), (0, 0)])
            epoch, place = epoch + 1, 0
