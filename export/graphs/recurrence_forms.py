"""The forms of a recurrence in a file for an interpreter.

    fused      one operation of the runtime for a whole LSTM (UNIDIRECTIONAL_SEQUENCE_LSTM)
    parallel   a linear recurrence as a few operations on all steps
    loop       a WHILE with several written-out steps per iteration
    unrolled   every step written out
    steps      a loop of one step per iteration, for ONNX

All forms give the same numbers. All but `steps` need a known length T and a batch of one. No form
needs a mask, because the padding after a text cannot change the states before it.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from textrnn.config.choices import EXPORT_FORMS
from textrnn.errors import ConfigError
from textrnn.layers.cells import LinearRNNCell, LSTMCell, RNNCell, States
from textrnn.layers.recurrence.unroll import unroll, unroll_chunks

__all__ = ["LOOP_STEPS", "STEPS", "choose_form", "run_form"]

STEPS = "steps"

LOOP_STEPS = 8
"""Written-out steps per iteration of the loop."""

PARALLEL_STEPS = 16
"""Steps of a chunk. The chunks are first computed side by side, then connected one by one."""


def choose_form(cell: RNNCell, form: str = "auto", *, one_subgraph: bool = False) -> str:
    """Returns the form for a cell; `auto` stands for the fastest one, as docs/export.md measures.

    Args:
        cell: The cell.
        form: One of `EXPORT_FORMS`, or `STEPS`.
        one_subgraph: Whether the file may hold one graph only, which excludes a loop.

    Raises:
        ConfigError: There is no such form, or the cell or the file cannot have it.
    """
    name = type(cell).__name__
    linear = isinstance(cell, LinearRNNCell) and type(cell).step is LinearRNNCell.step
    if form == STEPS:
        return form
    if form not in EXPORT_FORMS:
        raise ConfigError(f"`form` must be one of {', '.join(EXPORT_FORMS)}, got {form!r}.")
    if form == "fused" and type(cell) is not LSTMCell:
        raise ConfigError(f"`form` fused needs an LSTMCell, got {name}; choose auto.")
    if form == "parallel" and not linear:
        raise ConfigError(
            f"`form` parallel needs a cell linear in its state, got {name}; choose auto."
        )
    if form == "loop" and one_subgraph:
        raise ConfigError(
            "`form` loop makes several subgraphs, and this file may hold one; choose auto."
        )
    if form != "auto":
        return form
    if type(cell) is LSTMCell:
        return "fused"
    if linear:
        return "parallel"
    return "unrolled" if one_subgraph else "loop"


def run_form(cell: RNNCell, inputs: tf.Tensor, *, form: str) -> tf.Tensor:
    """Returns the outputs `[T, 1, H]` of a cell over inputs `[T, 1, E]`, from zero states.

    T must be known. With the form `steps`, the inputs are `[T, B, E]` and the outputs `[T, B, H]`,
    where T and B may be unknown.

    Args:
        cell: The cell, built.
        inputs: The inputs.
        form: A form that `choose_form` returns.
    """
    if form == "fused":
        return _fused(cell, inputs)
    gates = cell.project(inputs)  # [T, 1, G*H]
    if form == "parallel":
        return _parallel(cell, gates)
    if form == STEPS:
        return _steps(cell, gates)
    states = tuple(tf.zeros([1, size], cell.state_dtype) for size in cell.state_size)
    if form == "loop":
        return _loop(cell, gates, states)
    return unroll(cell.step, gates, states=states)[0]


def _fused(cell: LSTMCell, inputs: tf.Tensor) -> tf.Tensor:
    """Calls a function that the converter recognises by an attribute and replaces by one operation.

    The function has the arguments and results of TensorFlow's own LSTM layers. Its body runs where
    the graph is not converted.
    """

    def lstm(
        inputs: tf.Tensor,
        h: tf.Tensor,
        c: tf.Tensor,
        kernel: tf.Tensor,
        recurrent_kernel: tf.Tensor,
        bias: tf.Tensor,
    ) -> tuple[tf.Tensor, ...]:
        gates = tf.tensordot(inputs, kernel, axes=1) + bias

        def step(gates: tf.Tensor, states: tuple[tf.Tensor, ...]) -> tuple[tf.Tensor, ...]:
            new, _ = cell.combine(gates, tf.matmul(states[0], recurrent_kernel), states)
            return new[0], new

        outputs, (h, c) = unroll_chunks(step, gates, states=(h, c))
        return h, outputs, h, c, tf.constant(1.0)

    attributes = {
        "api_implements": f"lstm_{uuid.uuid4().hex}",
        "api_preferred_device": "CPU",
        "go_backwards": False,
        "time_major": True,
    }
    function: Callable[..., tuple[tf.Tensor, ...]] = tf.function(
        lstm, autograph=False, experimental_attributes=attributes
    )
    zeros = tf.zeros([1, cell.units])
    inputs, kernel = _with_reset(cell, inputs)
    weights = (tf.convert_to_tensor(cell.recurrent_kernel), tf.convert_to_tensor(cell.bias))
    _, outputs, *_ = function(inputs, zeros, zeros, kernel, *weights)
    return tf.slice(outputs, [1, 0, 0], [inputs.shape[0] - 1, 1, cell.units])


def _with_reset(cell: LSTMCell, inputs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns inputs `[1+T, 1, E+1]` whose first step resets the states, and their kernel.

    The operation keeps its states from one call to the next, so a second text would continue the
    first. An additional input is zero except at the additional first step, where it closes the
    gates i and f for any states: c = 0, h = o tanh(0) = 0. Its weights are no larger than the
    others, because larger ones would cost the others precision when the kernel is quantised. The
    input is as large as needed instead.
    """
    steps, _, size = inputs.shape
    # The file gets the current values of the weights.
    with tf.init_scope():
        kernel, recurrent, bias = cell.get_weights()
    weight = float(np.abs(kernel).max()) or 1.0
    # A sigmoid of -200 is 0 in float32. |h| <= 1 bounds the contribution of the states.
    needed = 200.0 + float((np.abs(recurrent).sum(axis=0) + np.abs(bias)).max())
    row = np.zeros([1, 4 * cell.units], np.float32)
    row[:, : 2 * cell.units] = -weight  # The gates i and f.
    first = np.zeros([1, 1, size + 1], np.float32)
    first[..., size] = needed / weight
    inputs = tf.concat([inputs, tf.zeros([steps, 1, 1])], axis=-1)
    return tf.concat([first, inputs], axis=0), tf.constant(np.concatenate([kernel, row]))


def _parallel(cell: LinearRNNCell, gates: tf.Tensor) -> tf.Tensor:
    """Computes `h_t = a_t h_{t-1} + u_t` with few operations, each on many steps.

    T is cut into chunks of K steps. First, all chunks at once compute step by step h from a zero
    state and the product of all a so far. Then each chunk in turn gets the state of the chunk
    before it, which corrects every h: `h_t += (a_t .. a_1) h_0`. No step divides by a product.
    """
    steps, units = gates.shape[0], cell.units
    blocks, count = _in_chunks(gates, PARALLEL_STEPS)  # [count, K, G*H]
    # With the time inside a chunk first, a step of all chunks is one block of memory. Reshape and
    # split are used because a strided slice is slow in an interpreter.
    blocks = tf.reshape(tf.transpose(blocks, [1, 0, 2]), [-1, gates.shape[-1]])
    decays, updates = (tf.split(values, PARALLEL_STEPS) for values in cell.coefficients(blocks))
    h, product = updates[0], decays[0]  # [count, H]
    inner, products = [h], [product]
    for decay, update in zip(decays[1:], updates[1:], strict=True):
        h = decay * h + update
        product = decay * product
        inner.append(h)
        products.append(product)
    chunk_starts = [tf.zeros([1, units], gates.dtype)]  # The state before each chunk.
    last_states, factors = tf.split(h, count), tf.split(product, count)
    for last_state, factor in zip(last_states[:-1], factors[:-1], strict=True):
        chunk_starts.append(last_state + factor * chunk_starts[-1])
    starts = tf.concat(chunk_starts, axis=0)  # [count, H]
    outputs = tf.stack([h + p * starts for h, p in zip(inner, products, strict=True)])
    return _cut(tf.transpose(outputs, [1, 0, 2]), steps)


def _loop(cell: RNNCell, gates: tf.Tensor, states: States) -> tf.Tensor:
    """Runs several written-out steps per iteration of a loop with tensors of known shapes.

    An interpreter copies the whole list of outputs in each iteration, so few iterations are fast.
    """
    steps = gates.shape[0]
    blocks, count = _in_chunks(gates, LOOP_STEPS)  # [count, K, G*H]
    rows = tf.TensorArray(gates.dtype, size=count, element_shape=blocks.shape[1:]).unstack(blocks)
    written = tf.TensorArray(gates.dtype, size=count, element_shape=[LOOP_STEPS, 1, cell.units])

    def body(i: tf.Tensor, states: States, written: tf.TensorArray) -> tuple[Any, ...]:
        block = tf.reshape(rows.read(i), [LOOP_STEPS, 1, gates.shape[-1]])
        outputs, states = unroll(cell.step, block, states=states)
        return i + 1, states, written.write(i, outputs)

    _, _, written = tf.while_loop(lambda i, *_: i < count, body, (0, states, written))
    return _cut(written.stack(), steps)


def _steps(cell: RNNCell, gates: tf.Tensor) -> tf.Tensor:
    """Runs one step per iteration of a loop, over gates `[T, B, G*H]`."""
    steps, batch = tf.shape(gates)[0], tf.shape(gates)[1]
    rows = tf.TensorArray(gates.dtype, size=steps, element_shape=[None, gates.shape[-1]])
    rows = rows.unstack(gates)
    written = tf.TensorArray(gates.dtype, size=steps, element_shape=[None, cell.units])
    states = tuple(tf.zeros([batch, size], cell.state_dtype) for size in cell.state_size)

    def body(t: tf.Tensor, written: tf.TensorArray, states: States) -> tuple[Any, ...]:
        output, states = cell.step(rows.read(t), states)
        return t + 1, written.write(t, output), tuple(states)

    shapes = tuple(tf.TensorShape([None, size]) for size in cell.state_size)
    _, written, _ = tf.while_loop(
        lambda t, *_: t < steps,
        body,
        (0, written, states),
        shape_invariants=(tf.TensorShape([]), tf.TensorShape(None), shapes),
    )
    return written.stack()


def _in_chunks(gates: tf.Tensor, chunk: int) -> tuple[tf.Tensor, int]:
    """Returns gates `[T, 1, G*H]` as `[count, chunk, G*H]`, padded with zeros, and the count."""
    steps, _, size = gates.shape
    count = -(-steps // chunk)
    gates = tf.reshape(gates, [steps, size])
    if count * chunk > steps:
        gates = tf.pad(gates, [[0, count * chunk - steps], [0, 0]])
    return tf.reshape(gates, [count, chunk, size]), count


def _cut(outputs: tf.Tensor, steps: int) -> tf.Tensor:
    """Returns outputs `[count, K, .., H]` as `[T, 1, H]`."""
    units = outputs.shape[-1]
    outputs = tf.reshape(outputs, [-1, 1, units])
    return outputs if outputs.shape[0] == steps else tf.slice(outputs, [0, 0, 0], [steps, 1, units])
