"""Texts in batches, with what the loss needs to know of each."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data.batching import Batch, BatchPlan
from textrnn.training.batches.unlabelled_batches import UnlabelledBatches

__all__ = ["LabelledBatches", "fill_rows"]


@dataclass(frozen=True)
class LabelledBatches:
    """Texts in batches, with what the loss needs to know of each.

    Attributes:
        plan: The texts.
        targets: `[N, C]` of 0 and 1.
        weights: `[N]`, what each text counts in the loss.
        unlabelled: Texts without labels to learn from beside them, if there are any.
    """

    plan: BatchPlan
    targets: np.ndarray
    weights: np.ndarray
    unlabelled: UnlabelledBatches | None = None

    @property
    def unlabelled_rows(self) -> float:
        """Texts of an average batch of unlabelled ones, 0 without any."""
        return 0.0 if self.unlabelled is None else self.unlabelled.mean_rows

    def take(self, rows: np.ndarray, config: ClassifierRunConfig) -> LabelledBatches:
        """Returns the texts at these places, without the unlabelled ones.

        Args:
            rows: Their places.
            config: How they are batched.
        """
        plan = BatchPlan(
            [self.plan.texts[row] for row in rows],
            batch_tokens=config.batches.batch_tokens,
            batch_texts=config.batches.batch_texts,
            max_length=config.batches.max_length,
        )
        return LabelledBatches(plan, self.targets[rows], self.weights[rows])

    def dataset(
        self, batches: list[Batch], *, multiple: int = 1, update: int = 0
    ) -> tf.data.Dataset:
        """The batches as `(ids [B, T], targets [B, C], weights [B])`; a filler row weighs 0.

        With unlabelled texts each has a batch of their ids `[B', T']` behind it.

        Args:
            batches: Of the plan.
            multiple: What B is filled up to a multiple of.
            update: The number of the update that the first batch is for.
        """

        def generate() -> Iterator[tuple[np.ndarray, ...]]:
            more: Iterator[tuple[np.ndarray, ...]] = itertools.repeat(())
            if self.unlabelled is not None:
                more = zip(self.unlabelled.ids(first=update, multiple=multiple))
            for batch, others in zip(batches, more, strict=False):
                batch = fill_rows(batch, multiple=multiple)
                weights = np.where(batch.rows >= 0, self.weights[batch.rows], 0)
                yield self.plan.ids(batch), self.targets[batch.rows], weights, *others

        signature: tuple[tf.TensorSpec, ...] = (
            tf.TensorSpec([None, None], tf.int32),
            tf.TensorSpec([None, self.targets.shape[1]], tf.float32),
            tf.TensorSpec([None], tf.float32),
        )
        if self.unlabelled is not None:
            signature += (tf.TensorSpec([None, None], tf.int32),)
        return tf.data.Dataset.from_generator(generate, output_signature=signature).prefetch(2)


def fill_rows(batch: Batch, *, multiple: int) -> Batch:
    """The batch with filler rows at its end, so that its rows are a multiple."""
    missing = -len(batch.rows) % multiple
    if not missing:
        return batch
    return Batch(np.concatenate([batch.rows, np.full(missing, -1)]), batch.length)
