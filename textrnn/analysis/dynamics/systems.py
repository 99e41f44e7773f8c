"""A model taken apart into its recurrences, each a system that its inputs drive step by step."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import keras
import numpy as np
import tensorflow as tf

from textrnn.config.model import ModelConfig
from textrnn.errors import ConfigError
from textrnn.layers.cells import RNNCell
from textrnn.layers.cells.base import LinearRNNCell, NonlinearRNNCell, product
from textrnn.layers.stack import halve_time
from textrnn.messages.wording import counted
from textrnn.models.classifier import TextClassifier

__all__ = [
    "Done",
    "Recurrence",
    "fresh_model",
    "gate_values",
    "graph",
    "padded",
    "recurrences",
    "sample",
    "state_step",
    "trajectory",
]

Done = Callable[[int], None]
"""Told after each batch how many texts it held."""

F = TypeVar("F", bound=Callable[..., Any])

_graphs: weakref.WeakKeyDictionary[Any, dict[Any, Any]] = weakref.WeakKeyDictionary()


def graph(function: F) -> F:
    """As `tf.function`, for functions of a cell or a model and tensors.

    Each cell or model has graphs of its own, which die with it; `tf.function` would hold them for
    ever, and warn of the many.
    """

    @functools.wraps(function)
    def call(owner: Any, *tensors: Any) -> Any:
        graphs = _graphs.setdefault(owner, {})
        if function not in graphs:
            # A partial: by a function's code TensorFlow would count the tracings of all owners.
            traced = functools.partial(_call, function, weakref.ref(owner))
            graphs[function] = tf.function(traced, reduce_retracing=True)
        return graphs[function](*tensors)

    return call  # type: ignore[return-value]


def _call(function: Callable[..., Any], owner: weakref.ref[Any], *tensors: Any) -> Any:
    return function(owner(), *tensors)


@dataclass(frozen=True)
class Recurrence:
    """One direction of one layer over a batch of texts: `s_t = step(gates_t, s_{t-1})`.

    What comes from below, the gates' inputs, does not depend on the state: in a stack that reads
    forwards the Jacobian of all states is block-triangular, so what is found of each recurrence is
    found of the whole.

    Attributes:
        layer: From 1.
        direction: `forward` or `backward`.
        cell: The cell.
        gates: `[T, B, G*H]` of the cell's `project`, in the order of reading; padding is behind.
        lengths: `[B]`, each text's steps.
        tokens_per_step: 1, or in a pyramid (`pyramid`) 2 in the second layer, 4 in the third, ...
    """

    layer: int
    direction: str
    cell: RNNCell
    gates: tf.Tensor
    lengths: tf.Tensor
    tokens_per_step: int = 1


def recurrences(model: TextClassifier, ids: np.ndarray) -> list[Recurrence]:
    """All recurrences of a model on some texts, layer by layer, forwards before backwards.

    Args:
        model: The model.
        ids: `[B, T]`, 0 for padding at the right.

    Raises:
        ConfigError: The model has none: its cell is `none`.
    """
    if model.stack is None:
        raise ConfigError(
            "the model is a bag of embeddings and has no state; train one with --cell mingru, "
            "gru, lstm, minlstm or simple."
        )
    found = []
    mask = tf.constant(ids != 0)
    sequence = model.embedding(tf.constant(ids))
    for layer, rnn in enumerate(model.stack.rnns):
        if layer and model.stack.pyramid:
            sequence, mask = halve_time(sequence, mask)
        lengths = tf.reduce_sum(tf.cast(mask, tf.int32), axis=1)
        directions = [(rnn, sequence)]
        if model.stack.bidirectional:
            layers = (rnn.forward_layer, rnn.backward_layer)
            directions = list(zip(layers, rnn.halves(sequence), strict=True))
        for one, inputs in directions:
            gates = one.cell.project(one.windowed(inputs, mask))  # [T, B, G*H]
            if one.go_backwards:
                gates = tf.reverse_sequence(gates, lengths, seq_axis=0, batch_axis=1)
            found.append(
                Recurrence(
                    layer=layer + 1,
                    direction="backward" if one.go_backwards else "forward",
                    cell=one.cell,
                    gates=gates,
                    lengths=lengths,
                    tokens_per_step=2**layer if model.stack.pyramid else 1,
                )
            )
        sequence = model.stack.finished(layer, sequence, rnn(sequence, mask=mask))
    return found


def state_step(cell: RNNCell) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """The cell's step on its whole state `[B, S]`: h, or for the LSTM h and c side by side."""

    def step(gates: tf.Tensor, state: tf.Tensor) -> tf.Tensor:
        _, states = cell.step(gates, tuple(tf.split(state, cell.state_size, axis=-1)))
        return tf.concat(states, axis=-1)

    return step


@graph
def trajectory(cell: RNNCell, gates: tf.Tensor) -> tf.Tensor:
    """The states `[T+1, B, S]` around the steps of gates `[T, B, G*H]`, the zero state first."""
    step = state_step(cell)
    state = tf.concat(cell.get_initial_state(tf.shape(gates)[1]), axis=-1)
    after = tf.scan(lambda state, row: step(row, state), gates, state)
    return tf.concat([state[tf.newaxis], after], axis=0)


def gate_values(cell: RNNCell, gates: tf.Tensor) -> dict[str, tf.Tensor]:
    """How far each gate of a cell is open over a sequence, from 0 to 1.

    Args:
        cell: The cell.
        gates: `[T, B, G*H]`.

    Returns:
        Maps each gate's name to `[T, B, H]`. `decay` is what a minimal cell keeps of its state;
        the simple cell has no gates.
    """
    if isinstance(cell, LinearRNNCell):
        return {"decay": cell.coefficients(gates)[0]}
    if not isinstance(cell, NonlinearRNNCell) or not cell.gate_places:
        return {}
    before = trajectory(cell, gates)[:-1]  # [T, B, S]
    steps, batch = tf.shape(before)[0], tf.shape(before)[1]
    rows = tf.reshape(before, [-1, before.shape[-1]])
    states = tuple(tf.split(rows, cell.state_size, axis=-1))
    recurrent = product(states[0], cell.recurrent_kernel, dtype=cell.state_dtype)
    if cell.recurrent_bias is not None:
        recurrent += tf.cast(cell.recurrent_bias, cell.state_dtype)
    _, kept = cell.combine(tf.reshape(gates, [-1, gates.shape[-1]]), recurrent, states)
    return {
        name: tf.reshape(kept[place], [steps, batch, cell.units])
        for name, place in cell.gate_places.items()
    }


def fresh_model(model: TextClassifier, *, seed: int = 0, **changes: Any) -> TextClassifier:
    """A model of the same shape as before its training, to compare with.

    Args:
        model: The model.
        seed: Of its weights.
        **changes: Settings of `ModelConfig` that shall be other than the model's.
    """
    keras.utils.set_random_seed(seed)
    config = ModelConfig.from_dict({**model.config.to_dict(), **changes})
    fresh = TextClassifier(
        model.vocab_size, model.classes, config=config, dtype=model.dtype_policy, name=model.name
    )
    fresh.build((None, None))
    return fresh


def sample(
    texts: Sequence[np.ndarray], count: int, *, tokens: int, seed: int, least: int = 1
) -> list[np.ndarray]:
    """Random ones of texts of token ids, in their order, each cut to its first `tokens`.

    Args:
        texts: The texts.
        count: How many at the most.
        tokens: Where they are cut.
        seed: Of the choice.
        least: How many tokens a text must have to be chosen.

    Raises:
        ConfigError: There is no such text.
    """
    fit = [i for i, text in enumerate(texts) if len(text) >= least]
    if not fit:
        raise ConfigError(f"expected a text of at least {counted(least, 'token')}, got none.")
    rng = np.random.default_rng(seed)
    chosen = np.sort(rng.permutation(fit)[:count])
    return [np.asarray(texts[i], np.int32)[:tokens] for i in chosen]


def padded(texts: Sequence[np.ndarray]) -> np.ndarray:
    """Texts of token ids as `[B, T]`, 0 behind the shorter ones."""
    ids = np.zeros([len(texts), max(map(len, texts))], np.int32)
    for row, text in zip(ids, texts, strict=True):
        row[: len(text)] = text
    return ids
