"""Time scales: for how many tokens each unit remembers its input."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from textrnn.analysis.dynamics.sampled_batches import (
    Sample,
    SampledBatches,
    measure_recurrences,
)
from textrnn.analysis.dynamics.systems import Recurrence, gate_values
from textrnn.errors import ConfigError
from textrnn.layers.cells import SimpleRNNCell
from textrnn.models.classifier import TextClassifier

__all__ = ["LayerTimes", "TimeScales", "time_constants", "time_scales"]

KEEPING_GATES = ("decay", "forget", "update")
"""The names of the gates that determine which share of the state is kept."""

DEFAULT_SAMPLE = Sample()

EDGES = 2.0 ** np.arange(-2, 13)
"""The edges of the histogram's bins, in tokens."""


@dataclass(frozen=True)
class LayerTimes:
    """The time constants of the units of one recurrence.

    Attributes:
        layer: The number of the layer, from 1.
        direction: `forward` or `backward`.
        source: The gate that the time constants are computed from, or `eigenvalues`.
        keep: `[H]`, ascending: the mean share of its state that a unit keeps in one step. For the
            simple cell these are the moduli of the eigenvalues of W.
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
        """Returns how many units lie between two powers of two: counts `[N]`, edges `[N+1]`.

        The first and the last bin include the units beyond them.
        """
        inside = np.clip(self.constants, EDGES[0], EDGES[-1])
        counts, edges = np.histogram(inside, EDGES)
        return counts, edges

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, ready for JSON; an infinite time constant is None."""
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
        texts: The number of texts that the gates were averaged over.
        layers: One entry per recurrence.
    """

    texts: int
    layers: tuple[LayerTimes, ...]

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, ready for JSON."""
        return {"texts": self.texts, "layers": [layer.to_dict() for layer in self.layers]}


def time_scales(
    model: TextClassifier,
    texts: Sequence[np.ndarray],
    *,
    sample: Sample = DEFAULT_SAMPLE,
    on_batch: Callable[[int], None] | None = None,
) -> TimeScales:
    """Returns the effective time constant of each unit on real texts.

    A gate that keeps the share f of the state forgets as `exp(-t / tau)` with `tau = -1 / ln f`
    (Tallec & Ollivier 2018, "Can Recurrent Neural Networks Warp Time?"). f is the mean of the gate
    over all tokens: of the LSTM's forget gate, of the GRU's update gate, which here keeps the old
    state, or of the decay of the minimal cells. The simple cell has no gate. Its linear part keeps
    the share |eigenvalue| along each eigenvector of W, and the tanh forgets faster.

    Call this function with a `fresh_model` of other `chrono_steps` to see the effect of the
    initialisation.

    Args:
        model: The model.
        texts: The token ids `[T]` of each text.
        sample: Which texts are read, and how much of each.
        on_batch: Receives the number of texts of each batch that is done.

    Raises:
        ConfigError: The model has no state, the gates of its cell are unknown, or no text has a
            token.
    """
    batches = SampledBatches(texts, sample, on_batch=on_batch)
    measured = measure_recurrences(
        model, batches, measure=lambda recurrence, _: kept_shares(recurrence)
    )
    layers = []
    for recurrence, parts in measured:
        total = sum(share * steps for _, share, steps in parts)
        keep = np.sort(total / sum(steps for _, _, steps in parts))
        layers.append(
            LayerTimes(
                layer=recurrence.layer,
                direction=recurrence.direction,
                source=parts[-1][0],
                keep=keep,
                constants=time_constants(keep) * recurrence.tokens_per_step,
            )
        )
    return TimeScales(len(batches), tuple(layers))


def kept_shares(recurrence: Recurrence) -> tuple[str, np.ndarray, int]:
    """Returns which share of its state each unit keeps in one step, on average.

    Args:
        recurrence: The recurrence.

    Returns:
        The name of the gate or `eigenvalues`, the mean shares `[H]`, and the number of steps that
        they were averaged over.

    Raises:
        ConfigError: The cell names no gate that keeps its state.
    """
    steps = int(tf.reduce_sum(recurrence.lengths))
    if isinstance(recurrence.cell, SimpleRNNCell):
        moduli = np.abs(np.linalg.eigvals(np.asarray(recurrence.cell.recurrent_kernel)))
        return "eigenvalues", np.sort(moduli).astype(np.float64), steps
    gates = gate_values(recurrence.cell, recurrence.gates)
    for name in KEEPING_GATES:
        if name in gates:
            mask = tf.transpose(tf.sequence_mask(recurrence.lengths, tf.shape(gates[name])[0]))
            values = tf.boolean_mask(gates[name], mask)  # [N, H]
            return name, np.asarray(values, np.float64).mean(axis=0), steps
    raise ConfigError(
        f"expected a cell with a gate named {', '.join(KEEPING_GATES)}, got "
        f"{type(recurrence.cell).__name__}; name its gates in `gate_places`, and "
        "define `combine_gradient`."
    )


def time_constants(keep: np.ndarray) -> np.ndarray:
    """Returns `-1 / ln(keep)`: 0 for 0, infinite for 1 and more.

    >>> time_constants(np.array([0.0, np.exp(-0.1), 1.0])).round(6).tolist()
    [0.0, 10.0, inf]
    """
    with np.errstate(divide="ignore"):
        rates = -np.log(np.asarray(keep, np.float64))
        return np.where(rates > 0, 1.0 / np.maximum(rates, 0), np.inf)
