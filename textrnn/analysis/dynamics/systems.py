"""The recurrences of a model: dynamical systems that are driven by their inputs."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import keras
import numpy as np
import tensorflow as tf

from textrnn.config.model import ModelConfig
from textrnn.errors import ConfigError
from textrnn.layers.cells import LinearRNNCell, NonlinearRNNCell, RNNCell
from textrnn.layers.cells.base import product
from textrnn.layers.stack import RNNStack
from textrnn.models.classifier import TextClassifier

__all__ = [
    "Recurrence",
    "fresh_model",
    "gate_values",
    "graph",
    "recurrences",
    "state_step",
    "trajectory",
]

F = TypeVar("F", bound=Callable[..., Any])

_graphs: weakref.WeakKeyDictionary[Any, dict[Any, Any]] = weakref.WeakKeyDictionary()


def graph(function: F) -> F:
    """Compiles a function of a cell or a model and tensors, as `tf.function` does.

    The graphs of a cell or model are deleted together with it. `tf.function` would keep them
    forever, and would warn that there are many.

    Args:
        function: Takes the cell or the model first, then tensors.
    """

    @functools.wraps(function)
    def call(owner: Any, *tensors: Any) -> Any:
        graphs = _graphs.setdefault(owner, {})
        if function not in graphs:
            # TensorFlow counts tracings per function: a partial gives each owner its own count.
            traced = functools.partial(_call, function, weakref.ref(owner))
            graphs[function] = tf.function(traced, reduce_retracing=True)
        return graphs[function](*tensors)

    return call  # type: ignore[return-value]


def _call(function: Callable[..., Any], owner: weakref.ref[Any], *tensors: Any) -> Any:
    return function(owner(), *tensors)


@dataclass(frozen=True)
class Recurrence:
    """One direction of one layer over a batch of texts: `s_t = step(gates_t, s_{t-1})`.

    The gates' inputs come from the layer below and do not depend on the state. In a stack that
    reads forwards the Jacobian of all states is therefore block-triangular: its growth is that of
    its diagonal blocks, the recurrences.

    Attributes:
        layer: The number of the layer, from 1.
        direction: `forward` or `backward`.
        cell: The cell.
        gates: `[T, B, G*H]`, the result of the cell's `project`, in the order of reading. Padding
            follows the last step.
        lengths: `[B]`, the number of steps of each text.
        tokens_per_step: 1; in a pyramid 2 in the second layer, 4 in the third, ...
    """

    layer: int
    direction: str
    cell: RNNCell
    gates: tf.Tensor
    lengths: tf.Tensor
    tokens_per_step: int = 1


def recurrences(model: TextClassifier, ids: np.ndarray) -> list[Recurrence]:
    """Returns the recurrences of a model on some texts.

    Args:
        model: The model.
        ids: `[B, T]`, 0 for padding at the right.

    Returns:
        The recurrences layer by layer, in each layer forward before backward.

    Raises:
        ConfigError: The model has no recurrence: its cell is `none`.
    """
    if model.stack is None:
        raise ConfigError(
            "the model is a bag of embeddings and has no state; train a model whose `cell` is not "
            "none."
        )
    stack = model.stack
    systems: list[Recurrence] = []

    def apply(layer: int, inputs: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        systems.extend(_layer_recurrences(stack, layer, inputs, mask))
        return stack.rnns[layer](inputs, mask=mask)

    stack.walk(model.embedding(tf.constant(ids)), tf.constant(ids != 0), apply)
    return systems


def _layer_recurrences(
    stack: RNNStack, layer: int, sequence: tf.Tensor, mask: tf.Tensor
) -> Iterator[Recurrence]:
    """The recurrences of one layer, which reads `[B, T, E]`, forwards before backwards."""
    lengths = tf.reduce_sum(tf.cast(mask, tf.int32), axis=1)
    rnn = stack.rnns[layer]
    directions = [(rnn, sequence)]
    if stack.bidirectional:
        layers = (rnn.forward_layer, rnn.backward_layer)
        directions = list(zip(layers, rnn.halves(sequence), strict=True))
    for direction, inputs in directions:
        cell = direction.cell
        gates = cell.project(direction.windowed(inputs, mask))  # [T, B, G*H]
        if direction.go_backwards:
            gates = tf.reverse_sequence(gates, lengths, seq_axis=0, batch_axis=1)
        yield Recurrence(
            layer=layer + 1,
            direction="backward" if direction.go_backwards else "forward",
            cell=cell,
            gates=gates,
            lengths=lengths,
            tokens_per_step=stack.tokens_per_step(layer),
        )


def state_step(cell: RNNCell) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """Returns the cell's step as a function of gates `[B, G*H]` and its whole state `[B, S]`.

    The whole state is h; for the LSTM it is h and c side by side.
    """

    def step(gates: tf.Tensor, state: tf.Tensor) -> tf.Tensor:
        _, states = cell.step(gates, tuple(tf.split(state, cell.state_size, axis=-1)))
        return tf.concat(states, axis=-1)

    return step


@graph
def trajectory(cell: RNNCell, gates: tf.Tensor) -> tf.Tensor:
    """Returns the states `[T+1, B, S]` before and after each step; the first is zero.

    Args:
        cell: The cell.
        gates: `[T, B, G*H]`.
    """
    step = state_step(cell)
    state = tf.concat(cell.get_initial_state(tf.shape(gates)[1]), axis=-1)
    after = tf.scan(lambda state, row: step(row, state), gates, state)
    return tf.concat([state[tf.newaxis], after], axis=0)


def gate_values(cell: RNNCell, gates: tf.Tensor) -> dict[str, tf.Tensor]:
    """Returns how far each gate of a cell is open at each step, from 0 to 1.

    Args:
        cell: The cell.
        gates: `[T, B, G*H]`.

    Returns:
        Maps the name of each gate to `[T, B, H]`. `decay` is the share of its state that a minimal
        cell keeps. The simple cell has no gates, and those of a nonlinear cell without
        `gate_places` and `combine_gradient` are not known.
    """
    if isinstance(cell, LinearRNNCell):
        return {"decay": cell.coefficients(gates)[0]}
    if not isinstance(cell, NonlinearRNNCell):
        return {}
    # Without a gradient of its own, a cell's activations are the sums before the gates.
    derived = type(cell).combine_gradient is NonlinearRNNCell.combine_gradient
    if derived or not cell.gate_places:
        return {}
    before = trajectory(cell, gates)[:-1]  # [T, B, S]
    steps, batch = tf.shape(before)[0], tf.shape(before)[1]
    rows = tf.reshape(before, [-1, before.shape[-1]])
    states = tuple(tf.split(rows, cell.state_size, axis=-1))
    recurrent = product(states[0], cell.recurrent_kernel, dtype=cell.state_dtype)
    if cell.recurrent_bias is not None:
        recurrent += tf.cast(cell.recurrent_bias, cell.state_dtype)
    _, activations = cell.combine(tf.reshape(gates, [-1, gates.shape[-1]]), recurrent, states)
    return {
        name: tf.reshape(activations[place], [steps, batch, cell.units])
        for name, place in cell.gate_places.items()
    }


def fresh_model(model: TextClassifier, *, seed: int = 0, **changes: Any) -> TextClassifier:
    """Returns an untrained model of the same shape, to compare a trained model with.

    Args:
        model: The trained model.
        seed: The seed of the untrained model's weights.
        **changes: Settings of `ModelConfig` that differ from those of the model.
    """
    keras.utils.set_random_seed(seed)
    config = ModelConfig.from_dict({**model.config.to_dict(), **changes})
    fresh = TextClassifier(
        model.vocab_size, model.classes, config=config, dtype=model.dtype_policy, name=model.name
    )
    fresh.build((None, None))
    return fresh
