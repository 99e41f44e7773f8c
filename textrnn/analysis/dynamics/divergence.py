"""Divergence: how one changed token changes the states after it, and the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from textrnn.analysis.dynamics.sampled_batches import (
    ByRecurrence,
    Sample,
    SampledBatches,
    TextBatch,
)
from textrnn.analysis.dynamics.systems import Recurrence, graph, recurrences, trajectory
from textrnn.errors import ConfigError
from textrnn.models.classifier import TextClassifier
from textrnn.models.label_space import LabelSpace

__all__ = ["Divergence", "DivergenceCurve", "divergence"]

DEFAULT_SAMPLE = Sample()
_LEAST = 1e-30


@dataclass(frozen=True)
class DivergenceCurve:
    """The distance of a state from the undisturbed state, k steps after the change.

        distance[k] = mean over texts of ||s'_{t+k} - s_{t+k}|| / ||s_{t+k}||

    Attributes:
        layer: The number of the layer, from 1.
        direction: `forward` or `backward`.
        tokens_per_step: How many tokens one step of k stands for.
        distance: `[K]`, k from 0, at the changed token.
    """

    layer: int
    direction: str
    tokens_per_step: int
    distance: np.ndarray

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, ready for JSON."""
        return {
            "layer": self.layer,
            "direction": self.direction,
            "tokens_per_step": self.tokens_per_step,
            "distance": self.distance.tolist(),
        }


@dataclass(frozen=True)
class Divergence:
    """The effect of one changed token in each text.

    Attributes:
        texts: The number of texts, each changed in one token.
        flipped: The share of the texts whose predicted label, or set of labels, changes.
        probability_change: The mean absolute change of the most probable label's probability.
        curves: One curve per recurrence; empty for a bag of embeddings.
    """

    texts: int
    flipped: float
    probability_change: float
    curves: tuple[DivergenceCurve, ...]

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, ready for JSON."""
        return {
            "texts": self.texts,
            "flipped": self.flipped,
            "probability_change": self.probability_change,
            "curves": [curve.to_dict() for curve in self.curves],
        }


def divergence(
    model: TextClassifier,
    texts: Sequence[np.ndarray],
    *,
    label_space: LabelSpace,
    steps: int = 64,
    sample: Sample = DEFAULT_SAMPLE,
    on_batch: Callable[[int], None] | None = None,
) -> Divergence:
    """Replaces one token of each text by another token of these texts, and follows the states.

    Args:
        model: The model.
        texts: The token ids `[T]` of each text.
        label_space: The labels of the model.
        steps: K, in tokens. It is reduced to half of the median length of the texts.
        sample: Which texts are read, and how much of each. Its seed also determines the places
            and the new tokens.
        on_batch: Receives the number of texts of each batch that is done.

    Raises:
        ConfigError: No text has a token, or all tokens are equal.
    """
    steps = min(steps, _half_median_length(texts, sample.tokens))
    batches = SampledBatches(texts, sample, least=2 * steps - 1, on_batch=on_batch)
    changes = _Changes(np.concatenate(batches.texts), steps, np.random.default_rng(sample.seed))
    before, after = list[np.ndarray](), list[np.ndarray]()
    distances = ByRecurrence[np.ndarray]()
    for batch in batches:
        places, changed = changes.of(batch)
        before.append(_logits(model, tf.constant(batch.ids)).numpy())
        after.append(_logits(model, tf.constant(changed)).numpy())
        if model.stack is not None:
            pairs = zip(recurrences(model, batch.ids), recurrences(model, changed), strict=True)
            for pair in pairs:
                distances.add(pair[0], _distances(pair, places, steps))
    flipped, moved = _answer_changes(
        np.concatenate(before), np.concatenate(after), label_space=label_space
    )
    return Divergence(
        texts=len(batches),
        flipped=float(np.mean(flipped)),
        probability_change=float(np.mean(moved)),
        curves=tuple(
            DivergenceCurve(
                layer=recurrence.layer,
                direction=recurrence.direction,
                tokens_per_step=recurrence.tokens_per_step,
                distance=np.concatenate(parts).mean(axis=0),
            )
            for recurrence, parts in distances
        ),
    )


def _half_median_length(texts: Sequence[np.ndarray], tokens: int) -> int:
    """Returns half of the median length of the texts that are not empty, at least 1."""
    lengths = [min(len(text), tokens) if tokens else len(text) for text in texts if len(text)]
    return max(1, int(np.median(lengths)) // 2) if lengths else 1


class _Changes:
    """Draws the token that is changed in each text, and the token that replaces it.

    Args:
        pool: The tokens to draw from, `[N]`.
        steps: How many steps must follow the changed token in either direction.
        rng: The source of randomness.

    Raises:
        ConfigError: All tokens of the pool are equal.
    """

    def __init__(self, pool: np.ndarray, steps: int, rng: np.random.Generator) -> None:
        if len(np.unique(pool)) == 1:
            raise ConfigError(
                "expected texts of at least two different tokens, got one token everywhere."
            )
        self._pool, self._steps, self._rng = pool, steps, rng

    def of(self, batch: TextBatch) -> tuple[np.ndarray, np.ndarray]:
        """Returns the places `[B]` of the changed tokens, and the changed ids `[B, T]`."""
        margin = self._steps - 1
        places = np.array([self._rng.integers(margin, len(text) - margin) for text in batch.texts])
        changed = batch.ids.copy()
        for row, place in enumerate(places):
            different = self._pool[self._pool != batch.ids[row, place]]
            changed[row, place] = self._rng.choice(different)
        return places, changed


def _answer_changes(
    before: np.ndarray, after: np.ndarray, *, label_space: LabelSpace
) -> tuple[np.ndarray, np.ndarray]:
    """Returns for each text whether its labels change, and the change of its best probability.

    Args:
        before: The logits `[N, C]` of the texts.
        after: The logits `[N, C]` of the changed texts.
        label_space: The labels of the model.
    """
    p, q = (np.asarray(label_space.activation(logits)) for logits in (before, after))
    best, rows = p.argmax(axis=1), np.arange(len(p))
    flipped = (label_space.decide(p) != label_space.decide(q)).any(axis=1)
    return flipped, np.abs(q[rows, best] - p[rows, best])


@graph
def _logits(model: TextClassifier, ids: tf.Tensor) -> tf.Tensor:
    return tf.cast(model.logits(ids), tf.float32)


def _distances(pair: tuple[Recurrence, Recurrence], places: np.ndarray, steps: int) -> np.ndarray:
    """Returns `||s' - s|| / ||s||` from the changed token on in the order of reading, `[B, K]`.

    Args:
        pair: The recurrence on the texts, and on the changed texts.
        places: `[B]`, the places of the changed tokens in the texts.
        steps: K, in tokens.
    """
    recurrence, tokens = pair[0], pair[0].tokens_per_step
    places = places // tokens
    if recurrence.direction == "backward":
        places = recurrence.lengths.numpy() - 1 - places
    plain, changed = (trajectory(r.cell, r.gates).numpy() for r in pair)  # [T+1, B, S]
    curves = []
    for row, place in enumerate(places):
        window = slice(place + 1, place + 1 + max(1, steps // tokens))
        difference = changed[window, row] - plain[window, row]
        size = np.maximum(np.linalg.norm(plain[window, row], axis=-1), _LEAST)
        curves.append(np.linalg.norm(difference, axis=-1) / size)
    return np.array(curves)
