"""Credit assignment: how far back an answer, and a state, still depend on what was read."""

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
    state_step,
    trajectory,
)
from textrnn.layers.cells import LinearRNNCell, RNNCell
from textrnn.models.classifier import TextClassifier

__all__ = ["Credit", "StateCurve", "credit_assignment", "horizon", "state_curve"]

EXACT_SIZE = 64
"""States of no more numbers have their Jacobian's norm computed exactly."""

BATCH_TEXTS = 16


@dataclass(frozen=True)
class StateCurve:
    """How much of the state of k steps ago is left in the last one.

        norm[k] = mean over texts of ||d s_T / d s_{T-k}||_F / sqrt(S)

    so that norm[0] is 1. s is the cell's whole state of S numbers: h, for the LSTM h and c.

    Attributes:
        layer: From 1.
        direction: `forward`, or `backward`, whose last step is the first token.
        tokens_per_step: How many tokens further back each k is.
        norm: `[K+1]`.
        half: The horizon in tokens at which it has halved; None beyond K.
        hundredth: That at which it has fallen to 1 %.
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
        """Plain values, ready for JSON."""
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
    """How much an answer depends on what was read k tokens before the end.

        gradient[k] = mean over texts of ||d logit / d x_{T-k}||_2

    for the most probable label's logit and the token's vector x. All texts are longer than every
    k, so that each k is a mean over the same texts.

    Attributes:
        texts: How many.
        gradient: `[K]`, k from 0.
        half: The horizon in tokens at which the gradient has halved; None beyond K.
        hundredth: That at which it has fallen to 1 %.
        states: Each recurrence; none of a bag of embeddings.
    """

    texts: int
    gradient: np.ndarray
    half: float | None
    hundredth: float | None
    states: tuple[StateCurve, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
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
    tokens: int = 512,
    documents: int = 64,
    probes: int = 16,
    seed: int = 0,
    on_batch: Done = lambda count: None,
) -> Credit:
    """Both curves, averaged over texts; see `Credit` and `StateCurve`.

    Vanishing and exploding gradients are those of Hochreiter 1991 and of Bengio et al. 1994,
    "Learning Long-Term Dependencies with Gradient Descent is Difficult".

    Args:
        model: The model.
        texts: Token ids of each text.
        steps: K, in tokens; no more than half of the texts are long enough for.
        tokens: What of each text is read, from its beginning.
        documents: How many texts are drawn.
        probes: Random vectors a text by which the norm of a large Jacobian is estimated; see
            `state_curve`.
        seed: Of the choice and the probes.
        on_batch: Told how many texts are done.

    Raises:
        ConfigError: There is no text of a token.
    """
    lengths = [min(len(text), tokens) for text in texts if len(text)]
    steps = min(steps, int(np.median(lengths))) if lengths else 1
    chosen = sample(texts, documents, tokens=tokens, seed=seed, least=steps)
    gradients, curves = [], list[list[tuple[Recurrence, np.ndarray]]]()
    for start in range(0, len(chosen), BATCH_TEXTS):
        batch = chosen[start : start + BATCH_TEXTS]
        ids = padded(batch)
        norms = _gradient_norms(model, tf.constant(ids)).numpy()
        gradients += [row[: len(t)][::-1][:steps] for row, t in zip(norms, batch, strict=True)]
        if model.stack is not None:
            curves.append(
                [
                    (each, state_norms(each, steps=steps, probes=probes, seed=seed))
                    for each in recurrences(model, ids)
                ]
            )
        on_batch(len(batch))
    gradient = np.mean(gradients, axis=0)
    return Credit(
        texts=len(chosen),
        gradient=gradient,
        half=horizon(gradient, 0.5),
        hundredth=horizon(gradient, 0.01),
        states=tuple(
            state_curve(batches[0][0], np.concatenate([norms for _, norms in batches], axis=1))
            for batches in zip(*curves, strict=True)
        ),
    )


def horizon(curve: np.ndarray, fraction: float) -> float | None:
    """The first k at which a curve has fallen to a fraction of its value at 0.

    Between two k the curve's logarithm is taken for a straight line, so that `0.9**k` halves at
    ln 2 / -ln 0.9 = 6.58. None if it does not fall so far.
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
    """The mean of `state_norms` `[K+1, B]` with its horizons."""
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
    """`||d s_T / d s_{T-k}||_F / sqrt(S)` of each text, `[K+1, B]`.

    One walk back from the end multiplies a vector u by the steps' Jacobians. Summed over all unit
    vectors, `||J^T u||^2` is the squared Frobenius norm; for random signs u it is so in the mean
    (Hutchinson 1990). A cell linear in its state has a diagonal Jacobian, whose norm any signs give
    exactly.

    Args:
        recurrence: Of texts each of which has K steps.
        steps: K in tokens.
        probes: How many u there are where the state is larger than `EXACT_SIZE`.
        seed: Of the signs.
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
    gates, before = (
        tf.transpose(
            tf.gather(tf.transpose(each, [1, 0, 2]), tf.transpose(places), batch_dims=1), [1, 0, 2]
        )
        for each in (recurrence.gates, states)
    )
    squares = _adjoint_squares(cell, gates, before, tf.constant(u, states.dtype))  # [K+1, P, B]
    return np.asarray(np.sqrt(np.mean(squares.numpy(), axis=1) / size))


def _is_exact(cell: RNNCell) -> bool:
    return _is_diagonal(cell) or sum(cell.state_size) <= EXACT_SIZE


def _is_diagonal(cell: RNNCell) -> bool:
    # A subclass with a step of its own may mix the units.
    return isinstance(cell, LinearRNNCell) and type(cell).step is LinearRNNCell.step


@graph
def _adjoint_squares(
    cell: RNNCell, gates: tf.Tensor, states: tf.Tensor, probes: tf.Tensor
) -> tf.Tensor:
    """`||J_k^T u||^2`, `[K+1, P, B]`, for the Jacobian J_k of the last k of K steps.

    Args:
        cell: The cell.
        gates: `[K, B, G*H]`.
        states: `[K, B, S]`, before each step.
        probes: u, `[P, S]`.
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
    """`||d logit / d x_t||`, `[B, T]`, of each text's most probable label."""
    mask = tf.not_equal(ids, 0)
    vectors = model.embedding(ids)
    with tf.GradientTape() as tape:
        tape.watch(vectors)
        logit = tf.reduce_max(model.logits_of(vectors, mask), axis=-1)
    return tf.norm(tf.cast(tape.gradient(logit, vectors), tf.float32), axis=-1)
