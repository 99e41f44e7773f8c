"""Truncated back-propagation through time: the gradient of long texts in constant memory.

The loss of a text is computed once, at its end, whatever its length, but the states of at most K2
tokens are in memory at a time:

1. Forward pass without a gradient, K1 tokens per segment. It records the states of the recurrence
   before each segment, and the pooling's summary before (P_j) and after (Q_j) each segment.
2. The loss of the whole text, and its gradient with respect to the pooled vector c.
3. Segment by segment again, now with a gradient: the recurrence reads the K2 tokens that end with
   the segment, from the recorded states, which count as constants. With a_j the contribution of the
   segment's own K1 states to the summary,

       gradient = sum_j  (dL/dc)  d c(P_j, a_j, Q_j) / d weights.

Only the path from a state back beyond K2 tokens is cut. Each state's effect on the summary is
exact, so the gradient is exact if K2 is at least the length of the text. K1 and K2 are k1 and k2 of
Williams & Peng 1990, "An Efficient Gradient-Based Algorithm for On-Line Training of Recurrent
Network Trajectories".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.errors import ConfigError
from textrnn.layers.cells import States
from textrnn.models.classifier import TextClassifier
from textrnn.training.update.gradient_sources.forward_pass import ForwardRecord, record_forward_pass
from textrnn.training.update.gradient_sources.segments import SegmentReader
from textrnn.training.update.gradient_sources.source import BatchGradient, MicroBatch, Objective
from textrnn.training.update.pure_update import values_of
from textrnn.training.update.row_gradients import RowGradient, row_gradient

__all__ = ["TruncatedGradients", "truncated_gradients"]


class TruncatedGradients:
    """Computes gradients that are cut beyond K2 tokens.

    Args:
        model: The classifier, built.
        config: The settings, with `tbptt`.

    Raises:
        ConfigError: The model cannot read piece by piece, or `tbptt` is off.
    """

    row_specs: tuple[tf.TensorSpec, ...] = ()

    def __init__(self, model: TextClassifier, config: ClassifierRunConfig) -> None:
        if config.optimizer.segment_steps is None:
            raise ConfigError("expected `tbptt` as K1,K2, got None; set it.")
        self._steps, self._reach = config.optimizer.segment_steps
        self._random = config.optimizer.tbptt_random
        self._model = model
        self.draw_specs = (tf.TensorSpec([], tf.int32),) if self._random else ()
        model.start(1)  # Raises the error of a model that cannot read piece by piece.

    @property
    def variables(self) -> list[Any]:
        """The model's trainable variables."""
        return list(self._model.trainable_variables)

    def draw(self, seed: Sequence[int]) -> tuple[np.ndarray, ...]:
        """Draws a segment length near K1, as Merity et al. 2018 (AWD-LSTM) do, if asked for."""
        if not self._random:
            return ()
        rng = np.random.default_rng(seed)
        mean = self._steps if rng.random() < 0.95 else self._steps / 2
        length = max(1, round(rng.normal(mean, min(5.0, self._steps / 4))))
        return (np.array(length, np.int32),)

    def gradients(self, batch: MicroBatch) -> BatchGradient:
        """Computes the gradient; see `GradientSource`."""
        segment: Any = batch.draws[0] if self._random else self._steps
        return truncated_gradients(
            self._model, batch.ids, objective=batch.objective, segment=segment, reach=self._reach
        )


def truncated_gradients(
    model: TextClassifier, ids: tf.Tensor, *, objective: Objective, segment: Any, reach: int
) -> BatchGradient:
    """Computes the gradient of an objective of whole texts, cut beyond K2 tokens.

    Args:
        model: A classifier that can read piece by piece; see `TextClassifier.start`.
        ids: `[B, T]`, padding at the right.
        objective: The objective of the logits.
        segment: K1, a number or a scalar tensor.
        reach: K2 in segments.

    Returns:
        The gradient of each trainable variable, the embedding's as a `RowGradient`.
    """
    reader = SegmentReader(model, ids, segment=segment, reach=reach)
    record = record_forward_pass(reader)
    head = _differentiate_head(model, record.summary, objective)
    gradients = {id(variable): gradient for variable, gradient in head.gradients}
    variables = [v for v in model.trainable_variables if id(v) not in gradients]
    sums = _sum_over_segments(reader, record, head.pooled_gradient, variables)
    gradients |= {id(v): gradient for v, gradient in zip(variables, sums, strict=True)}
    return BatchGradient(
        [gradients[id(v)] for v in model.trainable_variables], head.loss, head.logits
    )


class _Head(NamedTuple):
    """The loss and its gradients from the pooled vector upwards."""

    loss: tf.Tensor
    logits: tf.Tensor
    pooled_gradient: tf.Tensor
    gradients: list[tuple[Any, tf.Tensor]]


def _differentiate_head(model: TextClassifier, summary: States, objective: Objective) -> _Head:
    """Differentiates the objective by the pooled vector and the classifying layer's variables."""
    variables = model.classify.trainable_variables
    values = values_of(variables)
    with tf.GradientTape() as tape:
        pooled = tf.stop_gradient(model.pooling.finish(summary))  # [B, H]
        tape.watch([pooled, *values])
        logits = model.classify(model.pooled_dropout(pooled, training=True))
        loss = objective(tf.cast(logits, tf.float32))
    pooled_gradient, *gradients = tape.gradient(loss, [pooled, *values])
    return _Head(loss, logits, pooled_gradient, list(zip(variables, gradients, strict=True)))


def _sum_over_segments(
    reader: SegmentReader, record: ForwardRecord, pooled_gradient: tf.Tensor, variables: list[Any]
) -> list[Any]:
    """Returns the gradients of the variables below the pooling, summed over all segments."""
    pooling, reach = reader.model.pooling, reader.reach
    skipped = (reach - 1) * reader.segment

    def add_segment(j: tf.Tensor, sums: list[Any]) -> tuple[tf.Tensor, list[Any]]:
        first = j - (reach - 1)
        stream_states = record.states_before(tf.maximum(first, 0))
        values = values_of(variables)
        with tf.GradientTape() as tape:
            tape.watch(values)
            states, mask, _ = reader.read(stream_states, first, count=reach, training=True)
            summary = pooling.add(record.summary_before(j), states[:, skipped:], mask[:, skipped:])
            later, any_later = record.summary_after(j)
            summary = pooling.merge(summary, later, any_later=any_later)
            contribution = tf.reduce_sum(pooled_gradient * pooling.finish(summary))
        gradients = tape.gradient(contribution, values)
        return j + 1, [_add(*terms) for terms in zip(sums, gradients, variables, strict=True)]

    table = reader.model.embedding.embeddings
    zeros = [_zero_rows(v) if v is table else tf.zeros(v.shape) for v in variables]
    _, sums = tf.while_loop(
        lambda j, _: j < reader.count,
        add_segment,
        (tf.constant(0), zeros),
        parallel_iterations=1,
    )
    return list(sums)


def _zero_rows(variable: Any) -> RowGradient:
    return RowGradient(tf.zeros(variable.shape), tf.zeros([variable.shape[0], 1]))


def _add(total: Any, gradient: Any, variable: Any) -> Any:
    """Returns the sum in the form of the total, which must stay the same throughout the loop."""
    if isinstance(total, RowGradient):
        rows = row_gradient(gradient, variable.shape[0])
        return RowGradient(total.values + rows.values, tf.maximum(total.touched, rows.touched))
    return total if gradient is None else total + gradient
