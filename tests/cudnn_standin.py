"""A stand-in for the operation CudnnRNNV3, which exists on NVIDIA GPUs alone.

It reads the flat buffer of weights by NVIDIA's description (cuDNN API reference, `cudnnRNNMode_t`
and `cudnnGetRNNWeightParams`) and knows nothing of the package:

    gates     lstm: i, f, c, o    gru: r, i, h (i keeps the old state)    rnn_tanh: one
    matrices  per direction W_0 .. W_{G-1} [H, E], then R_0 .. R_{G-1} [H, H]
    biases    per direction b_W0 .. b_W{G-1} [H], then b_R0 .. b_R{G-1} [H]; after all matrices

Like cuDNN it refuses a length below 1, leaves states behind a row's end and writes zeros there. It
is made of TensorFlow's operations, so that gradients can be checked too.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import tensorflow as tf

GATES = {"rnn_tanh": 1, "gru": 3, "lstm": 4}


class Result(NamedTuple):
    output: tf.Tensor
    output_h: tf.Tensor
    output_c: tf.Tensor
    reserve_space: tf.Tensor
    host_reserved: tf.Tensor


class Buffer:
    """Reads a flat buffer from its beginning."""

    def __init__(self, values: tf.Tensor) -> None:
        self.values, self.place = values, 0

    def take(self, *shape: int) -> tf.Tensor:
        size = math.prod(shape)
        part = self.values[self.place : self.place + size]
        assert part.shape[0] == size, "the buffer is too short"
        self.place += size
        return tf.reshape(part, shape)


def step(mode: str, x: list[tf.Tensor], r: list[tf.Tensor], h: tf.Tensor, c: tf.Tensor) -> Any:
    """One step, of products `x` of the input and `r` of the state, with their biases."""
    if mode == "rnn_tanh":
        return tf.tanh(x[0] + r[0]), c
    if mode == "gru":
        reset, keep = tf.sigmoid(x[0] + r[0]), tf.sigmoid(x[1] + r[1])
        new = tf.tanh(x[2] + reset * r[2])
        return (1 - keep) * new + keep * h, c
    i, f, o = (tf.sigmoid(x[k] + r[k]) for k in (0, 1, 3))
    c = f * c + i * tf.tanh(x[2] + r[2])
    return o * tf.tanh(c), c


def cudnn_rnn(
    *,
    input: tf.Tensor,
    input_h: tf.Tensor,
    input_c: tf.Tensor,
    params: tf.Tensor,
    sequence_lengths: tf.Tensor,
    rnn_mode: str,
    direction: str,
    is_training: bool,
    time_major: bool,
) -> Result:
    assert time_major
    assert is_training, "the gradient needs it"
    if tf.executing_eagerly():
        assert int(tf.reduce_min(sequence_lengths)) >= 1, "cuDNN refuses empty rows"
    steps, _, size = input.shape
    directions, _, units = input_h.shape
    assert directions == {"unidirectional": 1, "bidirectional": 2}[direction]
    gates, buffer = GATES[rnn_mode], Buffer(params)
    matrices = [
        ([buffer.take(units, size) for _ in range(gates)],
         [buffer.take(units, units) for _ in range(gates)])
        for _ in range(directions)
    ]  # fmt: skip
    biases = [
        ([buffer.take(units) for _ in range(gates)], [buffer.take(units) for _ in range(gates)])
        for _ in range(directions)
    ]
    assert buffer.place == params.shape[0], "the buffer is too long"
    outputs, finals_h, finals_c = [], [], []
    for d in range(directions):
        h, c = input_h[d], input_c[d]
        written: list[Any] = [None] * steps
        for t in range(steps) if d == 0 else reversed(range(steps)):
            x = [
                input[t] @ tf.transpose(w) + b
                for w, b in zip(matrices[d][0], biases[d][0], strict=True)
            ]
            r = [h @ tf.transpose(w) + b for w, b in zip(matrices[d][1], biases[d][1], strict=True)]
            new_h, new_c = step(rnn_mode, x, r, h, c)
            inside = (t < sequence_lengths)[:, tf.newaxis]
            h, c = tf.where(inside, new_h, h), tf.where(inside, new_c, c)
            written[t] = tf.where(inside, new_h, tf.zeros_like(new_h))
        outputs.append(tf.stack(written))
        finals_h.append(h)
        finals_c.append(c)
    nothing = tf.zeros([0], input.dtype)
    return Result(
        tf.concat(outputs, axis=-1),
        tf.stack(finals_h),
        tf.stack(finals_c) if rnn_mode == "lstm" else nothing,
        nothing,
        tf.zeros([0], tf.int8),
    )
