"""Texts in batches, with what the loss needs to know of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from textrnn.data.batching import Batch, BatchPlan

__all__ = ["LabelledBatches", "fill_rows"]


@dataclass(frozen=True)
class LabelledBatches:
    """Texts in batches, with what the loss needs to know of each.

    Attributes:
        plan: The texts.
        targets: `[N, C]` of 0 and 1.
        weights: `[N]`, what each text counts in the loss.
    """

    plan: BatchPlan
    targets: np.ndarray
    weights: np.ndarray

    def dataset(self, batches: list[Batch], *, multiple: int = 1) -> tf.data.Dataset:
        """The batches as `(ids [B, T], targets [B, C], weights [B])`; a filler row weighs 0.

        Args:
            batches: Of the plan.
            multiple: What B is filled up to a multiple of.
        """

        def generate() -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
            for batch in batches:
                batch = fill_rows(batch, multiple=multiple)
                weights = np.where(batch.rows >= 0, self.weights[batch.rows], 0)
                yield self.plan.ids(batch), self.targets[batch.rows], weights

        signature = (
            tf.TensorSpec([None, None], tf.int32),
            tf.TensorSpec([None, self.targets.shape[1]], tf.float32),
            tf.TensorSpec([None], tf.float32),
        )
        return tf.data.Dataset.from_generator(generate, output_signature=signature).prefetch(2)


def fill_rows(batch: Batch, *, multiple: int) -> Batch:
    """The batch with filler rows at its end, so that its rows are a multiple."""
    missing = -len(batch.rows) % multiple
    if not missing:
        return batch
    return Batch(np.concatenate([batch.rows, np.full(missing, -1)]), batch.length)
