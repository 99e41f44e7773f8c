"""One update of the weights, the same under every strategy.

N replicas that each compute a share of a batch make the same update as one replica that computes
the whole batch: the loss is a sum over texts divided by a constant, the gradients are summed over
the replicas, and only then are they clipped by their norm and applied.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.errors import ConfigError
from textrnn.layers.recurrence import compiled
from textrnn.training.devices.strategy import Distribution
from textrnn.training.update.clipping import clip_gradients
from textrnn.training.update.gradient_sources.source import GradientSource, MicroBatch
from textrnn.training.update.losses import BatchLoss
from textrnn.training.update.row_gradients import (
    add_gradients,
    distinct_rows,
    gradient_values,
    row_gradient,
    unique_rows,
)

__all__ = ["Step"]


class Step:
    """Computes the gradient of a batch and applies it.

    With `jit`, XLA compiles the whole update, one program per shape of a batch. It needs shapes
    that are known, so an embedding's gradient is a `RowGradient`.

    Args:
        source: Computes the gradients.
        optimizer: The optimizer, built in the distribution's scope for the source's variables.
        loss: The classification loss.
        config: The settings.
        distribution: The devices that it runs on.
        control_flags: K, the number of flags that the chief sends to all workers with each step.
        jit: Whether XLA compiles the update. A TPU compiles it in any case.

    Raises:
        ConfigError: `jit` with several replicas.

    Attributes:
        control_flags: K.
        rows_multiple: The number that the number of rows of a batch must be a multiple of.
    """

    def __init__(
        self,
        source: GradientSource,
        optimizer: keras.optimizers.Optimizer,
        *,
        loss: BatchLoss,
        config: ClassifierRunConfig,
        distribution: Distribution,
        control_flags: int,
        jit: bool = False,
    ) -> None:
        self._source, self._optimizer, self._loss = source, optimizer, loss
        self._variables = source.variables
        self._distribution = distribution
        self.control_flags = control_flags
        self._clip_norm, self._micro_batches = config.optimizer.clip_norm, config.batches.accumulate
        self.rows_multiple = distribution.replicas * config.batches.accumulate
        if jit and distribution.replicas > 1:
            raise ConfigError(
                f"`jit` compiles the update of one device, got {distribution.replicas} devices; "
                "set it to off."
            )
        # XLA needs a program per bucket of lengths; elsewhere one program serves all of them.
        self._static = distribution.static or jit
        one_program = distribution.replicas == 1 and not self._static
        self._run = tf.function(
            self._run_replicas,
            input_signature=self._input_signature() if one_program else None,
            reduce_retracing=not (one_program or self._static),
            jit_compile=jit or None,
            autograph=False,
        )

    def _input_signature(self) -> tuple[tf.TensorSpec, ...]:
        return (
            tf.TensorSpec([None, None], tf.int32),
            tf.TensorSpec([None, len(self._loss.label_space.labels)], tf.float32),
            tf.TensorSpec([None], tf.float32),
            tf.TensorSpec([1, self.control_flags], tf.float32),
            *(tf.TensorSpec([1, *spec.shape], spec.dtype) for spec in self._source.draw_specs),
            *self._source.row_specs,
        )

    def __call__(
        self, batch: Sequence[Any], control_flags: Sequence[float], *, seed: Sequence[int] = (0,)
    ) -> tf.Tensor:
        """Makes one update.

        Args:
            batch: `(ids [B, T], targets [B, C], weights [B])`, then the tensors that the source's
                `row_specs` ask for.
            control_flags: The K flags that the chief sends to all workers; those of the other
                workers are ignored.
            seed: The seed of the source's draws, whose last number is that of the update; the same
                on all workers.

        Returns:
            A tensor for `Signals.read`, without waiting for it.
        """
        values = self._distribution.split(self.inputs(batch, control_flags, seed=seed))
        return self._distribution.first(self._run(*values))

    def inputs(
        self, batch: Sequence[Any], control_flags: Sequence[float], *, seed: Sequence[int]
    ) -> list[Any]:
        """Returns the arrays that `update` takes, those of all replicas joined along axis 0."""
        replicas = self._distribution.replicas
        flags = np.zeros([replicas, self.control_flags], np.float32)
        if self._distribution.is_chief:
            flags[0] = control_flags
        draws = [np.stack([values] * replicas) for values in self._source.draw(seed)]
        return [*batch[:3], flags, *draws, *batch[3:]]

    def _run_replicas(self, *values: Any) -> Any:
        return self._distribution.run(self.update, values)

    def update(
        self,
        ids: tf.Tensor,
        targets: tf.Tensor,
        weights: tf.Tensor,
        flags: tf.Tensor,
        *source_rows: tf.Tensor,
    ) -> tf.Tensor:
        """Makes the update of one replica.

        Args:
            ids: `[B/N, T]`.
            targets: `[B/N, C]`.
            weights: `[B/N]`.
            flags: `[1, K]`.
            source_rows: The source's draws `[1, ...]`, then its further rows `[B'/N, ...]`.

        Returns:
            The signals `[3 + K]`.
        """
        with compiled(self._static):
            return self._update([ids, targets, weights], flags, source_rows)

    def _update(
        self, rows: list[tf.Tensor], flags: tf.Tensor, source_rows: tuple[tf.Tensor, ...]
    ) -> tf.Tensor:
        context = tf.distribute.get_replica_context()
        count = len(self._source.draw_specs)
        draws = tuple(values[0] for values in source_rows[:count])
        gradients, sums = self._gradients([*rows, *source_rows[count:]], draws)
        sums = tf.concat([sums, flags[0]], axis=0)
        if self._static:
            pairs = zip(gradients, self._variables, strict=True)
            gradients = [row_gradient(gradient, variable.shape[0]) for gradient, variable in pairs]
        flat = tf.nest.flatten([gradients, sums])
        flat = context.all_reduce(tf.distribute.ReduceOp.SUM, flat)
        gradients, sums = tf.nest.pack_sequence_as([gradients, sums], flat)
        if self.rows_multiple > 1:
            gradients = [distinct_rows(gradient) for gradient in gradients]
        gradients, norm = clip_gradients(gradients, self._clip_norm, scale=self._loss.scale)
        self._optimizer.apply(gradients, self._variables)
        return tf.concat([sums[:2], [norm], sums[2:]], axis=0)

    def _gradients(
        self, rows: list[tf.Tensor], draws: tuple[tf.Tensor, ...]
    ) -> tuple[list[Any], tf.Tensor]:
        """Returns the gradients of the scaled mean loss, and `[loss sum, correct]`."""
        if self._micro_batches == 1:
            return self._micro_batch_gradients(rows, draws)
        splits = [tf.split(tensor, self._micro_batches) for tensor in rows]
        totals: list[Any] = []
        sums = tf.zeros([2])
        for micro_batch in zip(*splits, strict=True):
            # One after the other, so that only one at a time holds its activations.
            with tf.control_dependencies([gradient_values(total) for total in totals]):
                rows = [tf.identity(tensor) for tensor in micro_batch]
            gradients, more = self._micro_batch_gradients(rows, draws)
            pairs = zip(totals or [None] * len(gradients), gradients, strict=True)
            totals = [add_gradients(*pair) for pair in pairs]
            sums += more
        return totals, sums

    def _micro_batch_gradients(
        self, rows: list[tf.Tensor], draws: tuple[tf.Tensor, ...]
    ) -> tuple[list[Any], tf.Tensor]:
        ids, targets, weights, *more_rows = rows
        batch = MicroBatch(
            ids,
            counted=tf.cast(weights > 0, tf.float32),
            objective=functools.partial(self._loss.of, targets=targets, weights=weights),
            more_rows=tuple(more_rows),
            draws=draws,
        )
        gradients, loss, logits = self._source.gradients(batch)
        if not self._static:
            gradients = [unique_rows(gradient) for gradient in gradients]
        correct = self._loss.count_correct(logits, targets=targets, weights=weights)
        return gradients, tf.stack([self._loss.sum_of(loss), correct])
