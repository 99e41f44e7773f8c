"""Time scales: for how many tokens each unit keeps what it has read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from textrnn.analysis.dynamics.systems import (
    Done,
    Recurrence,
    gate_values,
    padded,
    recurrences,
    sample,
)
from textrnn.errors import ConfigError
from textrnn.layers.cells import SimpleRNNCell
from textrnn.models.classifier import TextClassifier

__all__ = ["LayerTimes", "TimeScales", "time_constants", "time_scales"]

KEEPING = ("decay", "forget", "update")
"""The gates that say how much of the state is kept."""

BATCH_TEXTS = 32
EDGES = 2.0 ** np.arange(-2, 13)
"""Of the histogram, in tokens."""


@dataclass(frozen=True)
class LayerTimes:
    """The time constants of one recurrence's units.

    Attributes:
        layer: From 1.
        direction: `forward` or `backward`.
        source: The gate they are taken from, or `eigenvalues`.
        keep: `[H]`, ascending: the mean share of its state that a unit keeps in a step; of the
            simple cell the moduli of the eigenvalues of W.
        constants: `[H]`: `-1 / ln(keep)`, in tokens; infinite where keep is at least 1.
    """

    layer: int
    direction: str
    source: str
    keep: np.ndarray
    constants: np.ndarray

    @property
    def median(self) -> float:
        """The time constant that half of the units exceed."""
        return float(np.median(self.constants))

    @property
    def longest(self) -> float:
        """The largest time constant."""
        return float(self.constants.max())

    def histogram(self) -> tuple[np.ndarray, np.ndarray]:
        """How many units are between two powers of two: counts `[N]` and edges `[N+1]`.

        The first and the last bin hold what is beyond them.
        """
        inside = np.clip(self.constants, EDGES[0], EDGES[-1])
        counts, edges = np.histogram(inside, EDGES)
        return counts, edges

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON; an infinite time constant is None."""
        counts, edges = self.histogram()
        return {
            "layer": self.layer,
            "direction": self.direction,
            "source": self.source,
            "keep": self.keep.tolist(),
            "constants": [float(t) if np.isfinite(t) else None for t in self.constants],
            "histogram": {"counts": counts.tolist(), "edges": edges.tolist()},
        }


@dataclass(frozen=True)
class TimeScales:
    """The time constants of all recurrences.

    Attributes:
        texts: On how many texts the gates were averaged.
        layers: Each recurrence.
    """

    texts: int
    layers: tuple[LayerTimes, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {"texts": self.texts, "layers": [layer.to_dict() for layer in self.layers]}


def time_scales(
    model: TextClassifier,
    texts: Sequence[np.ndarray],
    *,
    tokens: int = 256,
    documents: int = 64,
    seed: int = 0,
    on_batch: Done = lambda count: None,
) -> TimeScales:
    """The effective time constant of each unit on real texts.

    A gate that keeps the share f of the state forgets as `exp(-t / tau)` with `tau = -1 / ln f`
    (Tallec & Ollivier 2018, "Can Recurrent Neural Networks Warp Time?"). f is the gate's mean over
    all tokens: the LSTM's forget gate, the GRU's update gate (which here keeps the old), the decay
    of the minimal cells. The simple cell has no gate; its linear part keeps, along each eigenvector
    of W, the share |eigenvalue|, and the tanh forgets faster still.

    To see what the initialisation does, ask a `fresh_model` with other `chrono_steps`.

    Args:
        model: The model.
        texts: Token ids of each text.
        tokens: What of each text is read, from its beginning.
        documents: How many texts are drawn.
        seed: Of the choice.
        on_batch: Told how many texts are done.

    Raises:
        ConfigError: The model has no state, a cell's gates are not known, or there is no text.
    """
    chosen = sample(texts, documents, tokens=tokens, seed=seed)
    found: dict[tuple[int, str], tuple[Recurrence, str, np.ndarray, int]] = {}
    for start in range(0, len(chosen), BATCH_TEXTS):
        batch = chosen[start : start + BATCH_TEXTS]
        for each in recurrences(model, padded(batch)):
            key = each.layer, each.direction
            source, kept, steps = kept_shares(each)
            _, _, total, count = found.get(key, (each, source, np.zeros_like(kept), 0))
            found[key] = each, source, total + kept * steps, count + steps
        on_batch(len(batch))
    layers = []
    for (layer, direction), (each, source, total, count) in found.items():
        keep = np.sort(total / count)
        constants = time_constants(keep) * each.tokens_per_step
        layers.append(LayerTimes(layer, direction, source, keep, constants))
    return TimeScales(len(chosen), tuple(layers))


def kept_shares(recurrence: Recurrence) -> tuple[str, np.ndarray, int]:
    """Where the shares come from, their means `[H]`, and over how many steps.

    Raises:
        ConfigError: The cell is none of this package's.
    """
    steps = int(tf.reduce_sum(recurrence.lengths))
    if isinstance(recurrence.cell, SimpleRNNCell):
        moduli = np.abs(np.linalg.eigvals(np.asarray(recurrence.cell.recurrent_kernel)))
        return "eigenvalues", np.sort(moduli).astype(np.float64), steps
    gates = gate_values(recurrence.cell, recurrence.gates)
    for name in KEEPING:
        if name in gates:
            mask = tf.transpose(tf.sequence_mask(recurrence.lengths, tf.shape(gates[name])[0]))
            values = tf.boolean_mask(gates[name], mask)  # [N, H]
            return name, np.asarray(values, np.float64).mean(axis=0), steps
    raise ConfigError(
        f"expected a cell with a gate named {', '.join(KEEPING)}, got "
        f"{type(recurrence.cell).__name__}; name its gates in `gate_places`."
    )


def time_constants(keep: np.ndarray) -> np.ndarray:
    """`-1 / ln(keep)`: 0 for 0, infinite from 1 on."""
    with np.errstate(divide="ignore"):
        rates = -np.log(np.asarray(keep, np.float64))
        return np.where(rates > 0, 1.0 / np.maximum(rates, 0), np.inf)
