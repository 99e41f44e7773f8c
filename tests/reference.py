"""The NumPy oracle: the papers' equations, one row and one step at a time, in float64.

Weights stand in the order of `get_weights()`: kernel, recurrent kernel (if any), bias.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

Arrays = Sequence[np.ndarray]


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-x))


def simple(x: np.ndarray, states: Arrays, weights: Arrays) -> tuple[np.ndarray, Arrays]:
    """Elman 1990: `x` [E], each state [H]."""
    u, w, b = weights
    (s,) = states
    s = np.tanh(x @ u + s @ w + b)
    return s, (s,)


def gru(x: np.ndarray, states: Arrays, weights: Arrays) -> tuple[np.ndarray, Arrays]:
    """Cho et al. 2014, the reset gate after the product; z keeps the old state."""
    u, w, biases = weights
    u_z, u_r, u_h = np.split(u, 3, axis=1)
    w_z, w_r, w_h = np.split(w, 3, axis=1)
    (b_z, b_r, b_h), (c_z, c_r, c_h) = (np.split(bias, 3) for bias in biases)
    (h,) = states
    z = sigmoid(x @ u_z + b_z + h @ w_z + c_z)
    r = sigmoid(x @ u_r + b_r + h @ w_r + c_r)
    candidate = np.tanh(x @ u_h + b_h + r * (h @ w_h + c_h))
    h = z * h + (1.0 - z) * candidate
    return h, (h,)


def lstm(x: np.ndarray, states: Arrays, weights: Arrays) -> tuple[np.ndarray, Arrays]:
    """Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000."""
    u_i, u_f, u_c, u_o = np.split(weights[0], 4, axis=1)
    w_i, w_f, w_c, w_o = np.split(weights[1], 4, axis=1)
    b_i, b_f, b_c, b_o = np.split(weights[2], 4)
    h, c = states
    i = sigmoid(x @ u_i + h @ w_i + b_i)
    f = sigmoid(x @ u_f + h @ w_f + b_f)
    candidate = np.tanh(x @ u_c + h @ w_c + b_c)
    o = sigmoid(x @ u_o + h @ w_o + b_o)
    c = f * c + i * candidate
    h = o * np.tanh(c)
    return h, (h, c)


def mingru(x: np.ndarray, states: Arrays, weights: Arrays) -> tuple[np.ndarray, Arrays]:
    """Feng et al. 2024, section 3.1; z lets the new in."""
    u_z, u_h = np.split(weights[0], 2, axis=1)
    b_z, b_h = np.split(weights[1], 2)
    (h,) = states
    z = sigmoid(x @ u_z + b_z)
    candidate = x @ u_h + b_h
    h = (1.0 - z) * h + z * candidate
    return h, (h,)


def minlstm(x: np.ndarray, states: Arrays, weights: Arrays) -> tuple[np.ndarray, Arrays]:
    """Feng et al. 2024, section 3.2."""
    u_f, u_i, u_h = np.split(weights[0], 3, axis=1)
    b_f, b_i, b_h = np.split(weights[1], 3)
    (h,) = states
    f = sigmoid(x @ u_f + b_f)
    i = sigmoid(x @ u_i + b_i)
    candidate = x @ u_h + b_h
    h = f / (f + i) * h + i / (f + i) * candidate
    return h, (h,)


STEPS = {"simple": simple, "gru": gru, "lstm": lstm, "mingru": mingru, "minlstm": minlstm}


def recur(
    step: Callable[[np.ndarray, Arrays, Arrays], tuple[np.ndarray, Arrays]],
    sequence: np.ndarray,
    states: Arrays,
    weights: Arrays,
    *,
    mask: np.ndarray | None = None,
    reverse: bool = False,
    window: int = 1,
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Outputs `[B, T, H]`, each at its input's place, and final states, of `sequence` [B, T, E]."""
    batch, steps, size = sequence.shape
    if mask is None:
        mask = np.ones((batch, steps), bool)
    outputs = np.empty((batch, steps, states[0].shape[-1]))
    finals = [np.empty_like(state) for state in states]
    for row in range(batch):
        now: Arrays = [state[row] for state in states]
        output = now[0]
        for t in reversed(range(steps)) if reverse else range(steps):
            if mask[row, t]:
                seen = [t + k if reverse else t - k for k in range(window)]
                x = [
                    sequence[row, s] if 0 <= s < steps and mask[row, s] else np.zeros(size)
                    for s in seen
                ]
                output, now = step(np.concatenate(x), now, weights)
            outputs[row, t] = output
        for final, state in zip(finals, now, strict=True):
            final[row] = state
    return outputs, finals


def gradients(
    loss: Callable[[list[np.ndarray]], float], arrays: Arrays, *, width: float = 1e-6
) -> list[np.ndarray]:
    """The gradient of `loss(arrays)` for each array, by central differences."""
    arrays = [np.array(array, np.float64) for array in arrays]
    results = []
    for array in arrays:
        result = np.empty_like(array)
        for place in np.ndindex(array.shape):
            start = array[place]
            array[place] = start + width
            above = loss(arrays)
            array[place] = start - width
            below = loss(arrays)
            array[place] = start
            result[place] = (above - below) / (2 * width)
        results.append(result)
    return results


def last_state(states: np.ndarray, mask: np.ndarray, *, bidirectional: bool = False) -> np.ndarray:
    pooled = np.zeros((len(states), states.shape[-1]))
    half = states.shape[-1] // 2 if bidirectional else states.shape[-1]
    for row, steps in enumerate(mask):
        if steps.any():
            real = np.flatnonzero(steps)
            pooled[row, :half] = states[row, real[-1], :half]
            pooled[row, half:] = states[row, real[0], half:]
    return pooled


def mean_pooling(states: np.ndarray, mask: np.ndarray) -> np.ndarray:
    zeros = np.zeros(states.shape[-1])
    rows = zip(states, mask, strict=True)
    return np.stack([s[m].mean(axis=0) if m.any() else zeros for s, m in rows])


def max_pooling(states: np.ndarray, mask: np.ndarray) -> np.ndarray:
    zeros = np.zeros(states.shape[-1])
    rows = zip(states, mask, strict=True)
    return np.stack([s[m].max(axis=0) if m.any() else zeros for s, m in rows])


def attention_weights(states: np.ndarray, mask: np.ndarray, weights: Arrays) -> np.ndarray:
    """Yang et al. 2016: alpha `[B, T]` for kernel, bias and query."""
    kernel, bias, query = weights
    alpha = np.zeros(mask.shape)
    for row, steps in enumerate(mask):
        for t in np.flatnonzero(steps):
            alpha[row, t] = np.exp(np.tanh(states[row, t] @ kernel + bias) @ query)
        alpha[row] /= max(alpha[row].sum(), np.finfo(float).tiny)
    return alpha


def attention_pooling(states: np.ndarray, mask: np.ndarray, weights: Arrays) -> np.ndarray:
    return np.einsum("bt,bth->bh", attention_weights(states, mask, weights), states)


def halve_time(states: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    batch, steps, size = states.shape
    pairs = np.zeros((batch, (steps + 1) // 2, 2 * size))
    pair_mask = np.zeros(pairs.shape[:2], bool)
    for row in range(batch):
        for t in np.flatnonzero(mask[row]):
            pairs[row, t // 2, t % 2 * size :][:size] = states[row, t]
            pair_mask[row, t // 2] = True
    return pairs, pair_mask
