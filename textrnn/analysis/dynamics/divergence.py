"""Divergence: what one changed token does to the states after it, and to the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from textrnn.analysis.dynamics.systems import (
    Done,
    Recurrence,
    graph,
    padded,
    recurrences,
    sample,
    trajectory,
)
from textrnn.errors import ConfigError
from textrnn.models.classifier import TextClassifier
from textrnn.models.label_space import LabelSpace

__all__ = ["Divergence", "DivergenceCurve", "divergence"]

BATCH_TEXTS = 32
_LEAST = 1e-30


@dataclass(frozen=True)
class DivergenceCurve:
    """How far a recurrence's state is from what it would be, k steps after one changed token.

        distance[k] = mean over texts of ||s'_{t+k} - s_{t+k}|| / ||s_{t+k}||

    Attributes:
        layer: From 1.
        direction: `forward` or `backward`.
        tokens_per_step: How many tokens further each k is.
        distance: `[K]`, k from 0, at the changed token.
    """

    layer: int
    direction: str
    tokens_per_step: int
    distance: np.ndarray

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "layer": self.layer,
            "direction": self.direction,
            "tokens_per_step": self.tokens_per_step,
            "distance": self.distance.tolist(),
        }


@dataclass(frozen=True)
class Divergence:
    """What becomes of one changed token.

    Attributes:
        texts: How many texts were changed in one token each.
        flipped: Share of them that get another label for it, or other labels.
        probability_change: Mean change of the most probable label's probability, up or down.
        curves: Of each recurrence; none of a bag of embeddings.
    """

    texts: int
    flipped: float
    probability_change: float
    curves: tuple[DivergenceCurve, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
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
    tokens: int = 256,
    documents: int = 64,
    seed: int = 0,
    on_batch: Done = lambda count: None,
) -> Divergence:
    """Changes one token of each text into another of these texts and follows the states.

    Args:
        model: The model.
        texts: Token ids of each text.
        label_space: The model's labels.
        steps: K, for how many tokens; no more than half of the length that half of the texts have.
        tokens: What of each text is read, from its beginning.
        documents: How many texts are drawn.
        seed: Of the choice, the places and the new tokens.
        on_batch: Told how many texts are done.

    Raises:
        ConfigError: There is no text of a token, or all tokens are the same.
    """
    lengths = [min(len(text), tokens) for text in texts if len(text)]
    steps = max(1, min(steps, int(np.median(lengths)) // 2)) if lengths else 1
    chosen = sample(texts, documents, tokens=tokens, seed=seed, least=2 * steps - 1)
    rng = np.random.default_rng(seed)
    pool = np.concatenate(chosen)
    if len(np.unique(pool)) == 1:
        raise ConfigError("expected texts of different tokens, got one token all over.")
    before, after = [], []
    found: dict[tuple[int, str, int], list[np.ndarray]] = {}
    for start in range(0, len(chosen), BATCH_TEXTS):
        batch = chosen[start : start + BATCH_TEXTS]
        # So that K steps are left in either direction.
        places = np.array([rng.integers(steps - 1, len(text) - steps + 1) for text in batch])
        ids = padded(batch)
        changed = ids.copy()
        for row, place in enumerate(places):
            others = pool[pool != ids[row, place]]
            changed[row, place] = rng.choice(others)
        before.append(_logits(model, tf.constant(ids)).numpy())
        after.append(_logits(model, tf.constant(changed)).numpy())
        if model.stack is not None:
            pairs = zip(recurrences(model, ids), recurrences(model, changed), strict=True)
            for one, other in pairs:
                curve = _distances(one, other, places, steps)
                key = one.layer, one.direction, one.tokens_per_step
                found.setdefault(key, []).append(curve)
        on_batch(len(batch))
    p, q = (
        np.asarray(label_space.activation(np.concatenate(logits))) for logits in (before, after)
    )
    best = p.argmax(axis=1)
    rows = np.arange(len(p))
    flipped = (label_space.decide(p) != label_space.decide(q)).any(axis=1)
    return Divergence(
        texts=len(chosen),
        flipped=float(np.mean(flipped)),
        probability_change=float(np.mean(np.abs(q[rows, best] - p[rows, best]))),
        curves=tuple(
            DivergenceCurve(*key, np.concatenate(parts).mean(axis=0))
            for key, parts in found.items()
        ),
    )


@graph
def _logits(model: TextClassifier, ids: tf.Tensor) -> tf.Tensor:
    return tf.cast(model.logits(ids), tf.float32)


def _distances(one: Recurrence, other: Recurrence, places: np.ndarray, steps: int) -> np.ndarray:
    """`||s' - s|| / ||s||` from the changed place on in the order of reading, `[B, K]`."""
    lengths, tokens = one.lengths.numpy(), one.tokens_per_step
    places = places // tokens
    if one.direction == "backward":
        places = lengths - 1 - places
    states = [trajectory(each.cell, each.gates).numpy() for each in (one, other)]
    curves = []
    for row, place in enumerate(places):
        window = slice(place + 1, place + 1 + max(1, steps // tokens))
        s, changed = (each[window, row] for each in states)
        size = np.maximum(np.linalg.norm(s, axis=-1), _LEAST)
        curves.append(np.linalg.norm(changed - s, axis=-1) / size)
    return np.array(curves)
