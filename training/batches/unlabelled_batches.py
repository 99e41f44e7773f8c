"""Batches of texts without labels, one for each update."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from textrnn.data.batching import BatchPlan

__all__ = ["UnlabelledBatches"]

_ORDER = 1
"""Sets the seeds of the order apart from those of the labelled texts."""


@dataclass(frozen=True)
class UnlabelledBatches:
    """Texts without labels in batches, dealt anew for each pass over them.

    Attributes:
        plan: The texts.
        seed: Of the order.
    """

    plan: BatchPlan
    seed: int

    @property
    def mean_rows(self) -> float:
        """Texts of an average batch."""
        return len(self.plan.texts) / len(self.plan.batches())

    def ids(self, *, first: int, multiple: int) -> Iterator[np.ndarray]:
        """The ids `[B, T]` of the batch of each update, without end.

        Args:
            first: The number of the update to begin with, so that a training can be gone on with.
            multiple: What B is filled up to a multiple of.
        """
        a_pass, place = divmod(first, len(self.plan.batches()))
        while True:
            for batch in self.plan.batches(seed=[self.seed, a_pass, _ORDER])[place:]:
                ids = self.plan.ids(batch)
                yield np.pad(ids, [(0, -len(ids) % multiple), (0, 0)])
            a_pass, place = a_pass + 1, 0
