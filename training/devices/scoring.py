"""The probabilities of a model on several devices, each of which computes a share of a batch."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from textrnn.data.batching import Batch, BatchPlan
from textrnn.evaluation.sampling import spread_batches
from textrnn.inference.classifier import Scorer
from textrnn.models.classifier import TextClassifier
from textrnn.models.label_space import LabelSpace
from textrnn.training.batches.labelled_batches import fill_rows
from textrnn.training.devices.strategy import Distribution

__all__ = ["ReplicaScorer"]

TIMED_BATCHES = 6
"""The number of batches from which the time of all is estimated."""


class ReplicaScorer(Scorer):
    """Computes a classifier's probabilities on all replicas; every worker gets all of them.

    Args:
        model: The classifier, built in the distribution's scope.
        label_space: The labels.
        distribution: The devices that it runs on.

    Attributes:
        seconds: The time of the last pass, without the tracing of the graph in its first batch.
    """

    def __init__(
        self, model: TextClassifier, *, label_space: LabelSpace, distribution: Distribution
    ) -> None:
        super().__init__(model, label_space=label_space)
        self._distribution = distribution
        self.seconds = 0.0

        def scores(ids: tf.Tensor) -> tf.Tensor:
            logits = model.logits_in_parts(ids)
            return distribution.all_rows(label_space.activation(tf.cast(logits, tf.float32)))

        def run(ids: Any) -> Any:
            return distribution.run(scores, [ids])

        self._run = tf.function(run, reduce_retracing=not distribution.static, autograph=False)

    def __call__(
        self, plan: BatchPlan, *, on_batch: Callable[[int], None] | None = None
    ) -> np.ndarray:
        """Computes all probabilities; see `Scorer`."""
        texts: list[int] = []
        times: list[float] = [time.monotonic()]

        def record(count: int) -> None:
            texts.append(count)
            times.append(time.monotonic())
            if on_batch is not None:
                on_batch(count)

        probabilities = super().__call__(plan, on_batch=record)
        first = 1 if sum(texts[1:]) else 0
        self.seconds = (times[-1] - times[first]) * sum(texts) / sum(texts[first:])
        return probabilities

    def estimate(self, plan: BatchPlan) -> float:
        """Returns the seconds that all texts of a plan take, estimated from a few batches."""
        batches = plan.batches()
        chosen = spread_batches(plan, TIMED_BATCHES)
        for batch in chosen:  # Traces the graph.
            self.score(plan, batch)
        start = time.monotonic()
        for batch in chosen:
            self.score(plan, batch)
        seconds = time.monotonic() - start
        cells, timed = (sum(b.rows.size * b.length for b in part) for part in (batches, chosen))
        return seconds * cells / timed

    def score(self, plan: BatchPlan, batch: Batch) -> np.ndarray:
        """Returns the probabilities `[B, C]` of one batch."""
        filled = fill_rows(batch, multiple=self._distribution.replicas)
        values = self._run(*self._distribution.split([plan.ids(filled)]))
        return np.asarray(self._distribution.first(values))[: len(batch.rows)]
