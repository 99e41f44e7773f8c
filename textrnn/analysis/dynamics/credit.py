"""Credit assignment: how far back an answer, and a state, depend on the tokens read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from textrnn.analysis.dynamics.sampled_batches import ByRecurrence, Sample, SampledBatches
from textrnn.analysis.dynamics.systems import (
    Recurrence,
    graph,
    recurrences,
    state_step,
    trajectory,
)
from textrnn.layers.cells import LinearRNNCell, RNNCell
from textrnn.models.classifier import TextClassifier

__all__ = ["Credit", "StateCurve", "credit_assignment", "horizon", "state_curve"]

EXACT_SIZE = 64
"""The size of a state up to which the norm of its Jacobian is computed exactly."""

BATCH_TEXTS = 16

DEFAULT_SAMPLE = Sample(tokens=512)


@dataclass(frozen=True)
class StateCurve:
    """The share of the state of k steps ago that remains in the last state.

        norm[k] = mean over texts of ||d s_T / d s_{T-k}||_F / sqrt(S)

    so that norm[0] is 1. s is the whole state of the cell, of size S: h, for the LSTM h and c.

    Attributes:
        layer: The number of the layer, from 1.
        direction: `forward`, or `backward`, whose last step is the first token.
        tokens_per_step: How many tokens one step of k stands for.
        norm: `[K+1]`.
        half: The horizon in tokens at which the norm has halved; None beyond K.
        hundredth: The horizon in tokens at which the norm has fallen to 1 %; None beyond K.
        method: `exact`, or `random probes`.
    """

    layer: int
    direction: str
    tokens_per_step: int
    norm: np.ndarray
    half: float | None
    hundredth: float | None
    method: str

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, ready for JSON."""
        return {
            "layer": self.layer,
            "direction": self.direction,
            "tokens_per_step": self.tokens_per_step,
            "norm": self.norm.tolist(),
            "half": self.half,
            "hundredth": self.hundredth,
            "method": self.method,
        }


@dataclass(frozen=True)
class Credit:
    """The dependence of an answer on the token k places before the end.

        gradient[k] = mean over texts of ||d logit / d x_{T-k}||_2

    for the logit of the most probable label and the vector x of the token. Every text is longer
    than every k, so that each k is a mean over the same texts.

    Attributes:
        texts: The number of texts.
        gradient: `[K]`, k from 0.
        half: The horizon in tokens at which the gradient has halved; None beyond K.
        hundredth: The horizon in tokens at which the gradient has fallen to 1 %; None beyond K.
        states: One curve per recurrence; empty for a bag of embeddings.
    """

    texts: int
    gradient: np.ndarray
    half: float | None
    hundredth: float | None
    states: tuple[StateCurve, ...]

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, ready for JSON."""
        return {
            "texts": self.texts,
            "gradient": self.gradient.tolist(),
            "half": self.half,
            "hundredth": self.hundredth,
            "states": [curve.to_dict() for curve in self.states],
        }


def credit_assignment(
    model: TextClassifier,
    texts: Sequence[np.ndarray],
    *,
    steps: int = 128,
    probes: int = 16,
    sample: Sample = DEFAULT_SAMPLE,
    on_batch: Callable[[int], None] | None = None,
) -> Credit:
    """Returns both curves, averaged over texts; see `Credit` and `StateCurve`.

    Vanishing and exploding gradients were described by Hochreiter 1991 and by Bengio et al. 1994,
    "Learning Long-Term Dependencies with Gradient Descent is Difficult".

    Args:
        model: The model.
        texts: The token ids `[T]` of each text.
        steps: K, in tokens. It is reduced to the median length of the texts.
        probes: The number of random vectors that estimate the norm of a large Jacobian; see
            `state_norms`.
        sample: Which texts are read, and how much of each.
        on_batch: Receives the number of texts of each batch that is done.

    Raises:
        ConfigError: No text has a token.
    """
    steps = min(steps, _median_length(texts, sample.tokens))
    batches = SampledBatches(texts, sample, least=steps, batch_texts=BATCH_TEXTS, on_batch=on_batch)
    gradients: list[np.ndarray] = []
    norms = ByRecurrence[np.ndarray]()
    for batch in batches:
        rows = _gradient_norms(model, tf.constant(batch.ids)).numpy()
        for row, text in zip(rows, batch.texts, strict=True):
            gradients.append(row[: len(text)][::-1][:steps])
        for recurrence in recurrences(model, batch.ids) if model.stack is not None else ():
            norm = state_norms(recurrence, steps=steps, probes=probes, seed=sample.seed)
            norms.add(recurrence, norm)
    gradient = np.mean(gradients, axis=0)
    return Credit(
        texts=len(batches),
        gradient=gradient,
        half=horizon(gradient, 0.5),
        hundredth=horizon(gradient, 0.01),
        states=tuple(
            state_curve(recurrence, np.concatenate(parts, axis=1)) for recurrence, parts in norms
        ),
    )


def _median_length(texts: Sequence[np.ndarray], tokens: int) -> int:
    """Returns the median length of the texts that are not empty, or 1 if all are."""
    lengths = [min(len(text), tokens) if tokens else len(text) for text in texts if len(text)]
    return int(np.median(lengths)) if lengths else 1


def horizon(curve: np.ndarray, fraction: float) -> float | None:
    """Returns the first k at which a curve has fallen to a fraction of its value at 0.

    The logarithm of the curve is interpolated linearly between two k, so that `0.9**k` halves at
    ln 2 / -ln 0.9 = 6.58.

    >>> round(horizon(0.9 ** np.arange(10), 0.5), 2)
    6.58

    Args:
        curve: `[K]`, k from 0.
        fraction: The fraction of the value at 0, such as 0.5.

    Returns:
        k, or None if the curve does not fall so far.
    """
    goal = fraction * curve[0]
    below = np.flatnonzero(curve <= goal)
    if not len(below) or not curve[0] > 0:
        return None
    k = int(below[0])
    if k == 0 or curve[k] <= 0:
        return float(k)
    before, after = np.log(curve[k - 1]), np.log(curve[k])
    return float(k - 1 + (before - np.log(goal)) / (before - after))


def state_curve(recurrence: Recurrence, norms: np.ndarray) -> StateCurve:
    """Returns the mean of the norms over the texts, with its horizons.

    Args:
        recurrence: The recurrence that the norms belong to.
        norms: `[K+1, N]`, from `state_norms`.
    """
    curve = norms.mean(axis=1)
    tokens = recurrence.tokens_per_step
    half, hundredth = horizon(curve, 0.5), horizon(curve, 0.01)
    return StateCurve(
        layer=recurrence.layer,
        direction=recurrence.direction,
        tokens_per_step=tokens,
        norm=curve,
        half=None if half is None else half * tokens,
        hundredth=None if hundredth is None else hundredth * tokens,
        method="exact" if _is_exact(recurrence.cell) else "random probes",
    )


def state_norms(
    recurrence: Recurrence, *, steps: int, probes: int = 16, seed: int = 0
) -> np.ndarray:
    """Returns `||d s_T / d s_{T-k}||_F / sqrt(S)` of each text, `[K+1, B]`.

    One pass from the end to the beginning multiplies a vector u by the Jacobians of the steps. The
    sum of `||J^T u||^2` over all unit vectors u is the squared Frobenius norm of J. For random
    signs u it is the expectation of `||J^T u||^2` (Hutchinson 1990). The Jacobian of a cell that is
    linear in its state is diagonal: any vector of signs gives its norm exactly.

    Args:
        recurrence: A recurrence over texts that have at least K steps each.
        steps: K, in tokens.
        probes: How many vectors u are drawn if the state is larger than `EXACT_SIZE`.
        seed: The seed of the signs.
    """
    cell, size = recurrence.cell, sum(recurrence.cell.state_size)
    steps = max(1, steps // recurrence.tokens_per_step)
    if _is_diagonal(cell):
        u = np.ones([1, size])
    elif size <= EXACT_SIZE:
        u = np.eye(size) * np.sqrt(size)
    else:
        u = np.random.default_rng(seed).choice([-1.0, 1.0], [probes, size])
    states = trajectory(cell, recurrence.gates)
    places = recurrence.lengths[tf.newaxis] - steps + tf.range(steps)[:, tf.newaxis]  # [K, B]
    gates, before = (_rows_at(sequence, places) for sequence in (recurrence.gates, states))
    squares = _adjoint_squares(cell, gates, before, tf.constant(u, states.dtype))  # [K+1, P, B]
    return np.asarray(np.sqrt(np.mean(squares.numpy(), axis=1) / size))


def _rows_at(sequence: tf.Tensor, places: tf.Tensor) -> tf.Tensor:
    """Returns the rows `[K, B, ...]` of a sequence `[T, B, ...]` at the steps `[K, B]`."""
    batch_major = tf.transpose(sequence, [1, 0, 2])
    return tf.transpose(tf.gather(batch_major, tf.transpose(places), batch_dims=1), [1, 0, 2])


def _is_exact(cell: RNNCell) -> bool:
    return _is_diagonal(cell) or sum(cell.state_size) <= EXACT_SIZE


def _is_diagonal(cell: RNNCell) -> bool:
    # A subclass that overrides `step` may mix the units.
    return isinstance(cell, LinearRNNCell) and type(cell).step is LinearRNNCell.step


@graph
def _adjoint_squares(
    cell: RNNCell, gates: tf.Tensor, states: tf.Tensor, probes: tf.Tensor
) -> tf.Tensor:
    """Returns `||J_k^T u||^2`, `[K+1, P, B]`, for the Jacobian J_k of the last k of K steps.

    Args:
        cell: The cell.
        gates: `[K, B, G*H]`.
        states: `[K, B, S]`, the states before each step.
        probes: `[P, S]`, the vectors u.
    """
    step = state_step(cell)
    steps, batch, count = tf.shape(gates)[0], tf.shape(gates)[1], tf.shape(probes)[0]
    adjoint = tf.repeat(probes, batch, axis=0)  # [P*B, S]
    squares = tf.TensorArray(adjoint.dtype, size=steps + 1)
    squares = squares.write(0, tf.reduce_sum(adjoint**2, axis=-1))
    shape = adjoint.shape
    for k in tf.range(steps):
        state = tf.tile(states[steps - 1 - k], [count, 1])
        row = tf.tile(gates[steps - 1 - k], [count, 1])
        with tf.GradientTape() as tape:
            tape.watch(state)
            after = step(row, state)
        adjoint = tape.gradient(after, state, output_gradients=adjoint)
        adjoint = tf.ensure_shape(adjoint, shape)
        squares = squares.write(k + 1, tf.reduce_sum(adjoint**2, axis=-1))
    return tf.reshape(squares.stack(), [steps + 1, count, batch])


@graph
def _gradient_norms(model: TextClassifier, ids: tf.Tensor) -> tf.Tensor:
    """Returns `||d logit / d x_t||`, `[B, T]`, for the most probable label of each text."""
    mask = tf.not_equal(ids, 0)
    vectors = model.embedding(ids)
    with tf.GradientTape() as tape:
        tape.watch(vectors)
        logit = tf.reduce_max(model.logits_of(vectors, mask), axis=-1)
    return tf.norm(tf.cast(tape.gradient(logit, vectors), tf.float32), axis=-1)
