"""Labelled texts in batches, with their targets and weights."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from textrnn.config.training import BatchesConfig
from textrnn.data.batching import Batch, BatchPlan
from textrnn.models.targets import Targets
from textrnn.training.batches.unlabelled_batches import UnlabelledBatches

__all__ = ["LabelledBatches", "balanced_rows", "fill_rows"]

_CHOICE = 2
"""Makes the seeds of the choice of texts differ from those of their order."""


@dataclass(frozen=True)
class LabelledBatches:
    """Labelled texts in batches, with their targets and weights.

    >>> plan = BatchPlan([np.array([2, 3]), np.array([4])], batch_tokens=64)
    >>> data = LabelledBatches(plan, np.eye(2, dtype=np.float32), np.ones(2, np.float32))
    >>> for ids, targets, weights in data.dataset(plan.batches(), multiple=4):
    ...     print(ids.shape[0], weights.numpy().sum())
    4 2.0

    Attributes:
        plan: The texts and their division into batches.
        targets: `[N, C]` between 0 and 1, the probability of each label.
        weights: `[N]`, the weight of each text in the loss.
        unlabelled: The texts without labels that are also learned from; None without any.
        balance: How far the classes become equally frequent in an epoch, from 0, not at all, to 1.
    """

    plan: BatchPlan
    targets: Targets
    weights: np.ndarray
    unlabelled: UnlabelledBatches | None = None
    balance: float = 0.0

    @property
    def unlabelled_rows(self) -> float:
        """The number of texts in an average unlabelled batch; 0 without any."""
        return 0.0 if self.unlabelled is None else self.unlabelled.mean_rows

    def batches(self, *, seed: Sequence[int]) -> list[Batch]:
        """Returns the batches of one epoch in random order.

        With `balance`, an epoch has about as many texts as before, but texts of rare classes are in
        it several times, and some texts of frequent classes are not.

        Args:
            seed: The seed of the order and of the choice.
        """
        if not self.balance:
            return self.plan.batches(seed=seed)
        classes = self.targets.argmax(axis=1)
        rows = balanced_rows(classes, balance=self.balance, seed=[*seed, _CHOICE])
        return self.plan.batches(seed=seed, rows=rows)

    def take(self, rows: np.ndarray, sizes: BatchesConfig) -> LabelledBatches:
        """Returns the labelled texts in some places, without unlabelled ones."""
        plan = BatchPlan.of([self.plan.texts[row] for row in rows], sizes)
        return LabelledBatches(plan, self.targets.take(rows, axis=0), self.weights[rows])

    def resized(self, sizes: BatchesConfig) -> LabelledBatches:
        """Returns all texts in batches of other sizes."""
        unlabelled = self.unlabelled and self.unlabelled.resized(sizes)
        plan = BatchPlan.of(self.plan.texts, sizes)
        return dataclasses.replace(self, plan=plan, unlabelled=unlabelled)

    def dataset(
        self, batches: list[Batch], *, multiple: int = 1, update: int = 0
    ) -> tf.data.Dataset:
        """Returns what `arrays` yields, made ahead of the training; the arguments are the same."""
        generate = functools.partial(self.arrays, batches, multiple=multiple, update=update)
        signature: tuple[tf.TensorSpec, ...] = (
            tf.TensorSpec([None, None], tf.int32),
            tf.TensorSpec([None, self.targets.shape[1]], tf.float32),
            tf.TensorSpec([None], tf.float32),
        )
        if self.unlabelled is not None:
            signature += (tf.TensorSpec([None, None], tf.int32),)
        return tf.data.Dataset.from_generator(generate, output_signature=signature).prefetch(2)

    def arrays(
        self, batches: list[Batch], *, multiple: int = 1, update: int = 0
    ) -> Iterator[tuple[np.ndarray, ...]]:
        """Yields the batches as `(ids [B, T], targets [B, C], weights [B])`.

        With unlabelled texts the ids `[B', T']` of an unlabelled batch follow. A filler row has the
        weight 0.

        Args:
            batches: Batches of the plan.
            multiple: B is filled up to a multiple of this number.
            update: The number of the update that the first batch is for.
        """
        unlabelled: Iterator[tuple[np.ndarray, ...]] = itertools.repeat(())
        if self.unlabelled is not None:
            unlabelled = zip(self.unlabelled.ids(first=update, multiple=multiple))
        for batch, unlabelled_ids in zip(batches, unlabelled, strict=False):
            batch = fill_rows(batch, multiple=multiple)
            weights = np.where(batch.rows >= 0, self.weights[batch.rows], 0)
            yield self.plan.ids(batch), self.targets[batch.rows], weights, *unlabelled_ids


def balanced_rows(classes: np.ndarray, *, balance: float, seed: int | Sequence[int]) -> np.ndarray:
    """Returns the places of texts in which a class of the share p has a share as p^(1 - balance).

    A class that has too few texts has all of them as often as possible, and some once more.

    >>> rows = balanced_rows(np.array([0, 0, 0, 1]), balance=1.0, seed=0)
    >>> np.bincount(np.array([0, 0, 0, 1])[rows]).tolist()
    [2, 2]

    Args:
        classes: The class of each text, `[N]`.
        balance: From 0 to 1, where all classes have as many texts.
        seed: The seed of the choice.
    """
    rng = np.random.default_rng(seed)
    _, numbers, counts = np.unique(classes, return_inverse=True, return_counts=True)
    shares = counts ** (1.0 - balance)
    wanted = np.maximum(np.rint(len(classes) * shares / shares.sum()).astype(int), 1)
    rows = []
    for number, count in enumerate(wanted):
        members = np.flatnonzero(numbers == number)
        whole, rest = divmod(int(count), len(members))
        rows += [members] * whole
        rows.append(rng.permutation(members)[:rest])
    return np.sort(np.concatenate(rows))


def fill_rows(batch: Batch, *, multiple: int) -> Batch:
    """Adds filler rows, with the place -1, until the number of rows is a multiple."""
    missing = -len(batch.rows) % multiple
    if not missing:
        return batch
    return Batch(np.concatenate([batch.rows, np.full(missing, -1)]), batch.length)
