"""Lyapunov exponents: whether small changes of the state grow or fade, and how fast."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from textrnn.analysis.dynamics.sampled_batches import (
    Sample,
    SampledBatches,
    TextBatch,
    measure_recurrences,
)
from textrnn.analysis.dynamics.systems import Recurrence, graph, state_step
from textrnn.errors import ConfigError
from textrnn.layers.cells import RNNCell
from textrnn.models.classifier import TextClassifier

__all__ = ["Exponent", "Lyapunov", "LyapunovMonitor", "growth", "lyapunov"]

DEFAULT_SAMPLE = Sample(documents=32)
MONITOR_SAMPLE = Sample(documents=16, tokens=128)
_LEAST = 1e-30


@dataclass(frozen=True)
class Exponent:
    """The largest Lyapunov exponent of one recurrence along real texts, in nats per token.

    Attributes:
        layer: The number of the layer, from 1.
        direction: `forward` or `backward`.
        cell: The class name of the cell.
        value: The exponent over all steps. If it is positive, small changes of the state grow on
            average.
        of_texts: `[N]`, the exponent of each text.
    """

    layer: int
    direction: str
    cell: str
    value: float
    of_texts: np.ndarray

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, ready for JSON."""
        return {
            "layer": self.layer,
            "direction": self.direction,
            "cell": self.cell,
            "value": self.value,
            "of_texts": self.of_texts.tolist(),
        }


@dataclass(frozen=True)
class Lyapunov:
    """The exponents of all recurrences.

    Attributes:
        texts: The number of texts.
        tokens: The number of tokens that were counted, without the discarded ones.
        exponents: One exponent per recurrence.
    """

    texts: int
    tokens: int
    exponents: tuple[Exponent, ...]

    @property
    def largest(self) -> float:
        """The largest exponent, which is that of the whole stack."""
        return max(exponent.value for exponent in self.exponents)

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, ready for JSON."""
        return {
            "texts": self.texts,
            "tokens": self.tokens,
            "largest": self.largest,
            "exponents": [exponent.to_dict() for exponent in self.exponents],
        }


def lyapunov(
    model: TextClassifier,
    texts: Sequence[np.ndarray],
    *,
    discard: int = 16,
    sample: Sample = DEFAULT_SAMPLE,
    on_batch: Callable[[int], None] | None = None,
) -> Lyapunov:
    """Returns the largest Lyapunov exponent of each recurrence along real texts; see `growth`.

    Args:
        model: The model.
        texts: The token ids `[T]` of each text.
        discard: How many steps at the beginning of a text are not counted, at most half of them.
            During these steps the tangent turns to the direction that grows most.
        sample: Which texts are read, and how much of each. Its seed also determines the first
            tangents.
        on_batch: Receives the number of texts of each batch that is done.

    Raises:
        ConfigError: The model has no state, or no text has a token.
    """

    def growth_and_tokens(
        recurrence: Recurrence, batch: TextBatch
    ) -> tuple[np.ndarray, np.ndarray]:
        total, steps = growth(recurrence, discard=discard, seed=sample.seed + batch.start)
        return total, steps * recurrence.tokens_per_step

    batches = SampledBatches(texts, sample, on_batch=on_batch)
    exponents = []
    for recurrence, parts in measure_recurrences(model, batches, measure=growth_and_tokens):
        total, count = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        exponents.append(
            Exponent(
                layer=recurrence.layer,
                direction=recurrence.direction,
                cell=type(recurrence.cell).__name__,
                value=float(total.sum() / count.sum()),
                of_texts=total / count,
            )
        )
    return Lyapunov(len(batches), int(count.sum()), tuple(exponents))


def growth(
    recurrence: Recurrence, *, discard: int = 16, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Returns how much a tangent of the state grows along each text, and over how many steps.

        v_t = J_t v_{t-1},   growth = sum_t log ||v_t|| / ||v_{t-1}||

    J_t is the Jacobian of step t with respect to the state. v_0 is random, and v is scaled to
    length 1 after each step (Benettin et al. 1980). The largest Lyapunov exponent is the growth per
    step.

    Args:
        recurrence: The recurrence.
        discard: How many steps at the beginning are not counted, at most half of those of a text.
        seed: The seed of v_0.

    Returns:
        The growth `[B]` in nats, and the number of steps `[B]`.
    """
    cell = recurrence.cell
    tangent = np.random.default_rng(seed).normal(
        size=(recurrence.gates.shape[1], sum(cell.state_size))
    )
    logs = _tangent_growth(cell, recurrence.gates, tf.constant(tangent, cell.state_dtype)).numpy()
    lengths = recurrence.lengths.numpy()
    times = np.arange(len(logs))[:, np.newaxis]
    counted = (times >= np.minimum(discard, lengths // 2)) & (times < lengths)  # [T, B]
    return np.where(counted, logs, 0.0).sum(axis=0), counted.sum(axis=0)


@graph
def _tangent_growth(cell: RNNCell, gates: tf.Tensor, tangent: tf.Tensor) -> tf.Tensor:
    """Returns `log ||J_t v|| / ||v||` of each step, `[T, B]`.

    Args:
        cell: The cell.
        gates: `[T, B, G*H]`.
        tangent: v, `[B, S]`.
    """
    step = state_step(cell)
    state = tf.zeros_like(tangent)
    shape, steps = tangent.shape, tf.shape(gates)[0]
    logs = tf.TensorArray(tangent.dtype, size=steps)
    tangent /= tf.norm(tangent, axis=-1, keepdims=True)
    for t in tf.range(steps):
        with tf.autodiff.ForwardAccumulator(state, tangent) as accumulator:
            after = step(gates[t], state)
        tangent = accumulator.jvp(after)
        size = tf.maximum(tf.norm(tangent, axis=-1, keepdims=True), _LEAST)
        tangent = tf.ensure_shape(tangent / size, shape)
        logs = logs.write(t, tf.math.log(size[:, 0]))
        state = tf.ensure_shape(after, shape)
    return logs.stack()


class LyapunovMonitor(keras.callbacks.Callback):
    """Watches the largest Lyapunov exponent while a model is trained.

    The callback works with `textrnn.training.run.classifier.train(..., callbacks=[monitor])` and
    with Keras' own `fit`. It appends each value to `values` as (epoch, exponent), and writes it to
    the logs of the epoch as `lyapunov`.

    >>> monitor = LyapunovMonitor([np.array([2, 3, 4])], alert=print, every=2)
    >>> monitor.values
    []

    Args:
        texts: The token ids `[T]` of the texts to watch the exponent on.
        alert: Receives a sentence when the exponent is above `limit`.
        limit: The limit in nats per token. Above 0 the states are chaotic, and gradients explode.
        every: The number of epochs between two computations of the exponent.
        sample: Which texts are read, and how much of each; see `lyapunov`.

    Raises:
        ConfigError: `every` is less than 1.
    """

    def __init__(
        self,
        texts: Sequence[np.ndarray],
        *,
        alert: Callable[[str], None] | None = None,
        limit: float = 0.0,
        every: int = 1,
        sample: Sample = MONITOR_SAMPLE,
    ) -> None:
        super().__init__()
        if every < 1:
            raise ConfigError(f"`every` must be at least 1, got {every}.")
        self.texts = texts
        self.alert = alert
        self.limit = limit
        self.every = every
        self.sample = sample
        self.values: list[tuple[int, float]] = []

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Computes the exponent after each `every`-th epoch."""
        if (epoch + 1) % self.every:
            return
        largest = lyapunov(self.model, self.texts, sample=self.sample).largest
        self.values.append((epoch + 1, largest))
        if logs is not None:
            logs["lyapunov"] = largest
        if largest > self.limit and self.alert is not None:
            self.alert(
                f"after epoch {epoch + 1} the largest Lyapunov exponent is {largest:+.3f} nats per "
                f"token, above {self.limit}: small changes of the state grow; lower the learning "
                "rate, or reduce the gradient norm at which gradients are clipped."
            )
