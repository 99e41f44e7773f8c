"""The tiny inputs, masks and layers that the tests share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from textrnn.layers.cells import CELLS, RNNCell
from textrnn.layers.rnn import RNN

BATCH, STEPS, INPUTS, UNITS = 3, 5, 2, 3

# None or an array [B, T]; Any, because a test that names its mask knows which.
MASKS: dict[str, Any] = {
    "none": None,
    "full": np.ones((BATCH, STEPS), bool),
    "empty": np.zeros((BATCH, STEPS), bool),
    "right": np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 0, 0, 0, 0]], bool),
    "left": np.array([[1, 1, 1, 1, 1], [0, 0, 1, 1, 1], [0, 0, 0, 0, 1]], bool),
    "partial": np.array([[1, 0, 1, 1, 0], [0, 0, 1, 0, 1], [0, 0, 0, 0, 0]], bool),
}


KERAS_LAYERS = {
    "simple": keras.layers.SimpleRNN,
    "gru": keras.layers.GRU,
    "lstm": keras.layers.LSTM,
}

_FAMILIES = ("gru", "mingru")


def by_family(names: Iterable[str]) -> list[Any]:
    """Parameters for costly tests: cells that share their kernels with another are `thorough`."""
    return [
        name if name in _FAMILIES else pytest.param(name, marks=pytest.mark.thorough)
        for name in names
    ]


def few(values: Iterable[Any], *, fast: int = 1) -> list[Any]:
    """Parameters of which only the first are fast; the others are `thorough`."""
    return [
        value if place < fast else pytest.param(value, marks=pytest.mark.thorough)
        for place, value in enumerate(values)
    ]


each_family = pytest.mark.parametrize("cell_name", by_family(CELLS))
"""Every recurrent cell, as the fixture `cell_name`; but of each family only one is fast."""


def pairwise(
    names: tuple[str, str, str], first: Iterable[Any], second: Iterable[Any], third: Iterable[Any]
) -> pytest.MarkDecorator:
    """All combinations of three values, those beyond each pair of values marked `thorough`.

    The values of `first` may be those of `by_family`; `third` must not be the longest.
    """
    second, third = list(second), list(third)
    params, fast_rows = [], 0
    for value in first:
        is_marked = isinstance(value, type(pytest.param()))
        row = value.values[0] if is_marked else value
        for j, column in enumerate(second):
            for k, layer in enumerate(third):
                is_fast = not is_marked and k == (fast_rows + j) % len(third)
                marks = () if is_fast else pytest.mark.thorough
                params.append(pytest.param(row, column, layer, marks=marks))
        fast_rows += not is_marked
    return pytest.mark.parametrize(names, params)


def make_cell(name: str, /, **settings: Any) -> RNNCell:
    """A cell of UNITS units, in float64 by default."""
    return CELLS[name](**{"units": UNITS, "dtype": "float64", **settings})


def built_cell(name: str, /, **settings: Any) -> RNNCell:
    """A built cell for inputs of INPUTS units."""
    cell = make_cell(name, **settings)
    cell.build((None, INPUTS))
    return cell


def randomise(layer: keras.layers.Layer, rng: np.random.Generator) -> list[np.ndarray]:
    """Sets all weights of a built layer, biases too, to normal numbers; gives them back."""
    weights = [rng.normal(scale=0.7, size=w.shape) for w in layer.get_weights()]
    layer.set_weights(weights)
    return weights


def random_sequence(rng: np.random.Generator, *, dtype: str = "float64") -> np.ndarray:
    return rng.normal(size=(BATCH, STEPS, INPUTS)).astype(dtype)


def random_states(cell: RNNCell, rng: np.random.Generator) -> list[np.ndarray]:
    return [rng.normal(size=(BATCH, size)) for size in cell.state_size]


def assert_close(actual: Any, expected: Any, *, atol: float = 1e-10) -> None:
    """Asserts that two structures of arrays have the same shapes and, within `atol`, values."""
    actual, expected = tf.nest.flatten(actual), tf.nest.flatten(expected)
    assert len(actual) == len(expected)
    for a, e in zip(actual, expected, strict=True):
        a, e = np.asarray(tf.convert_to_tensor(a)), np.asarray(tf.convert_to_tensor(e))
        np.testing.assert_allclose(a, e, rtol=0, atol=atol, strict=False)
        assert a.shape == e.shape


def as_list(result: Any) -> list[Any]:
    """A layer's result as a list, whether it is one tensor or several."""
    return list(result) if isinstance(result, (list, tuple)) else [result]


def make_rnn(cell_name: str, *, cell: dict[str, Any] | None = None, **settings: Any) -> RNN:
    """A layer, with weights, that returns all it can."""
    settings = {"return_sequences": True, "return_state": True, **settings}
    layer = RNN(make_cell(cell_name, **(cell or {})), **settings)
    layer.build((None, None, INPUTS))
    return layer


def results_and_gradients(
    layer: keras.layers.Layer, sequence: tf.Tensor, weights: Any, **arguments: Any
) -> list[Any]:
    """Returns the outputs of `layer`, and gradients of their sum for `weights` and `sequence`."""
    sequence = tf.convert_to_tensor(sequence)
    with tf.GradientTape() as tape:
        tape.watch(sequence)
        results = as_list(layer(sequence, **arguments))
        total = tf.add_n([tf.reduce_sum(tf.sin(result + 0.5)) for result in results])
    return [results, tape.gradient(total, [*weights, sequence])]
