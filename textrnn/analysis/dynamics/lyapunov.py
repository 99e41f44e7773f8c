"""Chaos: whether small changes of the state grow or fade, and how fast; the Lyapunov exponent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from textrnn.analysis.dynamics.systems import (
    Done,
    Recurrence,
    graph,
    padded,
    recurrences,
    sample,
    state_step,
)
from textrnn.errors import ConfigError
from textrnn.layers.cells import RNNCell
from textrnn.models.classifier import TextClassifier

__all__ = ["Exponent", "Lyapunov", "LyapunovMonitor", "growth", "lyapunov"]

BATCH_TEXTS = 32
_LEAST = 1e-30


@dataclass(frozen=True)
class Exponent:
    """The largest Lyapunov exponent of one recurrence along real texts, in nats a token.

    Attributes:
        layer: From 1.
        direction: `forward` or `backward`.
        cell: The cell's class.
        value: Over all steps; positive: a small change of the state grows, on the average.
        of_texts: That of each text, `[N]`.
    """

    layer: int
    direction: str
    cell: str
    value: float
    of_texts: np.ndarray

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
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
        texts: Along how many texts.
        tokens: Along how many tokens, those at the texts' beginnings not counted.
        exponents: Of each recurrence.
    """

    texts: int
    tokens: int
    exponents: tuple[Exponent, ...]

    @property
    def largest(self) -> float:
        """The largest of them: that of the whole stack."""
        return max(each.value for each in self.exponents)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "texts": self.texts,
            "tokens": self.tokens,
            "largest": self.largest,
            "exponents": [each.to_dict() for each in self.exponents],
        }


def lyapunov(
    model: TextClassifier,
    texts: Sequence[np.ndarray],
    *,
    tokens: int = 256,
    documents: int = 32,
    discard: int = 16,
    seed: int = 0,
    on_batch: Done = lambda count: None,
) -> Lyapunov:
    """The largest Lyapunov exponent of each recurrence along real texts; see `growth`.

    Args:
        model: The model.
        texts: Token ids of each text.
        tokens: What of each text is read, from its beginning.
        documents: How many texts are drawn.
        discard: Steps at a text's beginning that are not counted, in which the tangent turns to
            the direction that grows most; no more than half of a text's.
        seed: Of the choice and the first tangents.
        on_batch: Told how many texts are done.

    Raises:
        ConfigError: The model has no state, or there is no text of a token.
    """
    chosen = sample(texts, documents, tokens=tokens, seed=seed)
    found: dict[tuple[int, str], list[tuple[np.ndarray, np.ndarray]]] = {}
    cells: dict[tuple[int, str], str] = {}
    for start in range(0, len(chosen), BATCH_TEXTS):
        batch = chosen[start : start + BATCH_TEXTS]
        for each in recurrences(model, padded(batch)):
            key = each.layer, each.direction
            cells[key] = type(each.cell).__name__
            total, steps = growth(each, discard=discard, seed=seed + start)
            found.setdefault(key, []).append((total, steps * each.tokens_per_step))
        on_batch(len(batch))
    exponents = []
    for key, parts in found.items():
        total = np.concatenate([part[0] for part in parts])
        count = np.concatenate([part[1] for part in parts])
        value = float(total.sum() / count.sum())
        exponents.append(Exponent(*key, cells[key], value, total / count))
    return Lyapunov(len(chosen), int(count.sum()), tuple(exponents))


def growth(
    recurrence: Recurrence, *, discard: int = 16, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """By how much a tangent of the state has grown along each text, in nats, and in how many steps.

        v_t = J_t v_{t-1},   growth = sum_t log ||v_t|| / ||v_{t-1}||

    J_t the Jacobian of step t by the state, v_0 random, of length 1 again after each step (Benettin
    et al. 1980). The largest Lyapunov exponent is the growth of a step.

    Args:
        recurrence: The recurrence.
        discard: Steps at the beginning that are not counted; no more than half of a text's.
        seed: Of v_0.

    Returns:
        The growth `[B]` and the steps `[B]`.
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
    """`log ||J_t v|| / ||v||` of each step, `[T, B]`, for gates `[T, B, G*H]`, v `[B, S]`."""
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

    For `textrnn.training.run.classifier.train(..., callbacks=[monitor])` and Keras' own `fit`. Each
    value is appended to `values` as (epoch, exponent) and stands in the epoch's logs as `lyapunov`.

    Args:
        texts: Token ids of the texts to watch it on.
        alert: Called with a sentence when the exponent is above `limit`.
        limit: In nats a token; above 0 the states are chaotic, and gradients explode.
        every: Epochs between two looks.
        documents: As in `lyapunov`.
        tokens: As in `lyapunov`.
        seed: As in `lyapunov`.

    Raises:
        ConfigError: `every` is less than 1.
    """

    def __init__(
        self,
        texts: Sequence[np.ndarray],
        *,
        alert: Callable[[str], None] = lambda text: None,
        limit: float = 0.0,
        every: int = 1,
        documents: int = 16,
        tokens: int = 128,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if every < 1:
            raise ConfigError(f"`every` must be at least 1, got {every}.")
        self.texts = texts
        self.alert = alert
        self.limit = limit
        self.every = every
        self.documents = documents
        self.tokens = tokens
        self.seed = seed
        self.values: list[tuple[int, float]] = []

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Looks at the exponent after each `every`-th epoch."""
        if (epoch + 1) % self.every:
            return
        found = lyapunov(
            self.model,
            self.texts,
            tokens=self.tokens,
            documents=self.documents,
            seed=self.seed,
        )
        self.values.append((epoch + 1, found.largest))
        if logs is not None:
            logs["lyapunov"] = found.largest
        if found.largest > self.limit:
            self.alert(
                f"after epoch {epoch + 1} the largest Lyapunov exponent is {found.largest:+.3f} "
                f"nats a token, above {self.limit}: small changes of the state grow; lower the "
                "learning rate or clip the gradient harder."
            )
