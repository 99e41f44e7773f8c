"""Properties of every cell."""

from __future__ import annotations

import inspect
from typing import Any

import keras
import numpy as np
import pytest
import reference
import tensorflow as tf
from cases import (
    BATCH,
    INPUTS,
    UNITS,
    assert_close,
    built_cell,
    make_cell,
    random_states,
    randomise,
)
from tiny import not_none

from textrnn.errors import ConfigError
from textrnn.layers.cells import CELLS, GRUCell, LSTMCell, NonlinearRNNCell, RNNCell, SimpleRNNCell

pytestmark = pytest.mark.usefixtures("seeded")

SETTINGS: dict[str, Any] = {
    "kernel_initializer": "he_normal",
    "recurrent_initializer": "zeros",
    "bias_initializer": "ones",
    "recurrent_dropout": 0.25,
    "seed": 7,
    "name": "cell",
}
SPECIAL: dict[str, Any] = {"chrono_steps": 9, "unit_forget_bias": False}
"""Settings that some cells have."""


def all_settings(name: str) -> dict[str, Any]:
    """A value other than the default for each setting of a cell."""
    own = make_cell(name).get_config()
    return SETTINGS | {key: value for key, value in SPECIAL.items() if key in own}


def settings_of(cell: type[RNNCell]) -> set[str]:
    """The names of the arguments of a cell and of its base classes, up to the Keras layer."""
    classes = cell.__mro__[: cell.__mro__.index(keras.layers.Layer)]
    signatures = [
        inspect.signature(vars(base)["__init__"]) for base in classes if "__init__" in vars(base)
    ]
    parameters = [p for signature in signatures for p in signature.parameters.values()]
    return {p.name for p in parameters if p.kind != p.VAR_KEYWORD} - {"self"}


GATED = [name for name, cell in CELLS.items() if "chrono_steps" in settings_of(cell)]
WITH_STATE_WEIGHTS = [name for name, cell in CELLS.items() if issubclass(cell, NonlinearRNNCell)]


def test_step_equals_the_equations(cell_name: str, rng: np.random.Generator) -> None:
    cell = built_cell(cell_name)
    weights = randomise(cell, rng)
    inputs, states = rng.normal(size=(BATCH, INPUTS)), random_states(cell, rng)
    output, new_states = cell(inputs, states)
    for row in range(BATCH):
        expected = reference.STEPS[cell_name](inputs[row], [s[row] for s in states], weights)
        assert_close((output[row], [s[row] for s in new_states]), expected)


def test_gradients_equal_finite_differences(cell_name: str, rng: np.random.Generator) -> None:
    cell = built_cell(cell_name)
    weights = randomise(cell, rng)
    x, states = rng.normal(size=INPUTS), [rng.normal(size=UNITS) for _ in cell.state_size]
    probes = [rng.normal(size=UNITS) for _ in range(1 + cell.state_count)]

    def loss(arrays: list[np.ndarray]) -> float:
        n = len(weights)
        output, new = reference.STEPS[cell_name](arrays[n], arrays[n + 1 :], arrays[:n])
        return sum(float(p @ a) for p, a in zip(probes, [output, *new], strict=True))

    tensors = [tf.constant(a[np.newaxis]) for a in (x, *states)]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        output, new_states = cell(tensors[0], tensors[1:])
        results = zip(probes, [output, *new_states], strict=True)
        total = tf.add_n([tf.reduce_sum(probe * tensor) for probe, tensor in results])
    sources = [*(w.value for w in cell.trainable_weights), *tensors]
    expected = reference.gradients(loss, [*weights, x, *states])
    for actual, e in zip(tape.gradient(total, sources), expected, strict=True):
        assert_close(tf.reshape(actual, e.shape), e, atol=1e-7)


def test_projection_takes_all_steps_at_once(cell_name: str, rng: np.random.Generator) -> None:
    cell = built_cell(cell_name)
    randomise(cell, rng)
    sequence = rng.normal(size=(BATCH, 4, INPUTS))
    gates = cell.project(sequence)
    assert gates.shape == (BATCH, 4, cell.gate_count * UNITS)
    assert_close(gates, tf.stack([cell.project(sequence[:, t]) for t in range(4)], axis=1))


def test_initial_state_is_zeros_of_each_state(cell_name: str) -> None:
    cell = make_cell(cell_name)
    assert cell.state_size == [UNITS] * cell.state_count
    assert cell.output_size == UNITS
    assert_close(cell.get_initial_state(2), [np.zeros((2, UNITS))] * cell.state_count)


def test_config_makes_an_equal_cell(cell_name: str) -> None:
    cell = make_cell(cell_name, **all_settings(cell_name))
    config = cell.get_config()
    assert set(config) >= settings_of(type(cell))
    again = type(cell).from_config(config)
    assert again.get_config() == config
    for name, value in {**all_settings(cell_name), "units": UNITS}.items():
        if not name.endswith("initializer"):
            assert getattr(again, name) == value
    assert isinstance(again.kernel_initializer, keras.initializers.HeNormal)
    assert isinstance(again.recurrent_initializer, keras.initializers.Zeros)
    assert isinstance(again.bias_initializer, keras.initializers.Ones)
    assert again.compute_dtype == "float64"


@pytest.mark.parametrize("units", [0, -1, True, 2.0, "2", None])
def test_units_must_be_a_positive_integer(cell_name: str, units: Any) -> None:
    with pytest.raises(ConfigError, match="`units` must be a positive integer, got"):
        make_cell(cell_name, units=units)


def test_numpy_integers_are_units(cell_name: str) -> None:
    assert type(make_cell(cell_name, units=np.int64(2)).units) is int


@pytest.mark.parametrize("rate", [-0.1, 1.0, float("nan")])
def test_recurrent_dropout_must_leave_something(cell_name: str, rate: float) -> None:
    with pytest.raises(ConfigError, match="`recurrent_dropout` must be at least 0 and less than 1"):
        make_cell(cell_name, recurrent_dropout=rate)


@pytest.mark.parametrize("name", WITH_STATE_WEIGHTS)
def test_recurrent_kernel_starts_orthogonal(name: str) -> None:
    kernel = built_cell(name).recurrent_kernel.numpy()
    assert_close(kernel @ kernel.T, np.eye(UNITS), atol=1e-6)


def test_biases_start_at_zero_but_for_forget_gates(cell_name: str) -> None:
    gates = built_cell(cell_name).bias.numpy().reshape(-1, UNITS)
    expected = np.zeros_like(gates)
    forget = {"lstm": 1, "minlstm": 0}
    if cell_name in forget:
        expected[forget[cell_name]] = 1.0
    assert_close(gates, expected)


@pytest.mark.parametrize("name", GATED)
def test_chrono_gates_keep_the_past_for_up_to_chrono_steps(name: str) -> None:
    steps = 50
    cell = built_cell(
        name,
        units=400,
        chrono_steps=steps,
        kernel_initializer="zeros",
        recurrent_initializer="zeros",
    )
    memory = tf.ones([1, 400], tf.float64)
    _, states = cell(np.zeros((1, INPUTS)), [memory] * cell.state_count)
    lasts = 1.0 / (1.0 - states[-1].numpy())
    assert np.all((lasts >= 2.0 - 1e-6) & (lasts <= steps + 1e-3))
    # Uniform(2, steps): its mean is the middle.
    assert abs(lasts.mean() - (2 + steps) / 2) < 4
    assert lasts.max() > 0.9 * steps


CHRONO_GATES = {"gru": (0, None), "lstm": (1, 0), "mingru": (None, 0), "minlstm": (0, 1)}
"""The numbers of the gate that keeps the state and of the one that admits a new one."""


@pytest.mark.parametrize("name", CHRONO_GATES)
def test_chrono_biases_leave_the_other_gates_at_zero(name: str) -> None:
    gates = built_cell(name, chrono_steps=9, seed=1).bias.numpy().reshape(-1, UNITS)
    keep, new = CHRONO_GATES[name]
    chrono = {index for index in (keep, new) if index is not None}
    if keep is not None:
        assert np.all((gates[keep] > 0) & (gates[keep] <= np.log(8)))
    if new is not None:
        assert np.all((gates[new] < 0) & (gates[new] >= -np.log(8)))
    if len(chrono) == 2:
        assert_close(gates[new], -gates[keep])
    assert all(np.all(gates[i] == 0) for i in range(len(gates)) if i not in chrono)


@pytest.mark.parametrize("name", GATED)
def test_chrono_biases_are_seeded(name: str) -> None:
    first, repeated, different = (
        built_cell(name, chrono_steps=9, seed=s).bias.numpy() for s in (1, 1, 2)
    )
    assert np.array_equal(first, repeated)
    assert not np.array_equal(first, different)


@pytest.mark.parametrize("name", GATED)
@pytest.mark.parametrize("steps", [2, 1, -1])
def test_chrono_steps_without_a_time_scale_are_refused(name: str, steps: int) -> None:
    message = f"`chrono_steps` must be 0 \\(off\\) or at least 3, got {steps}"
    with pytest.raises(ConfigError, match=message):
        make_cell(name, chrono_steps=steps)


def test_nothing_is_dropped_at_inference(cell_name: str) -> None:
    assert make_cell(cell_name, recurrent_dropout=0.5).dropout_mask(2, training=False) is None
    assert make_cell(cell_name).dropout_mask(2, training=True) is None


def test_dropout_keeps_the_expectation(cell_name: str) -> None:
    mask = make_cell(cell_name, recurrent_dropout=0.25, seed=0).dropout_mask(4000, training=True)
    assert mask is not None
    assert set(np.unique(mask)) == {0.0, 1 / 0.75}
    assert abs(float(tf.reduce_mean(mask)) - 1.0) < 0.03


def test_dropout_is_seeded(cell_name: str) -> None:
    first, repeated, different = (
        not_none(
            make_cell(cell_name, recurrent_dropout=0.5, seed=s).dropout_mask(50, training=True)
        ).numpy()
        for s in (1, 1, 2)
    )
    assert np.array_equal(first, repeated)
    assert not np.array_equal(first, different)


def test_dropout_acts_on_what_a_unit_says(cell_name: str, rng: np.random.Generator) -> None:
    cell = built_cell(cell_name)
    weights = randomise(cell, rng)
    gates = cell.project(rng.normal(size=(1, INPUTS)))
    states = tuple(state[:1] for state in random_states(cell, rng))
    mask = np.array([[0.0, 2.0, 2.0]])
    dropped, _ = cell.step(gates, states, dropout_mask=mask)
    if cell_name in WITH_STATE_WEIGHTS:
        # A unit's say in the next state stands in its row of the recurrent kernel.
        cell.set_weights([weights[0], weights[1] * mask.T, weights[2]])
        assert_close(dropped, cell.step(gates, states)[0])
    else:
        decay, update = cell.coefficients(gates)
        assert_close(dropped, decay * states[0] + update * mask)


def test_calling_a_cell_in_training_drops(cell_name: str, rng: np.random.Generator) -> None:
    cell = built_cell(cell_name, recurrent_dropout=0.5, seed=0)
    randomise(cell, rng)
    inputs, states = rng.normal(size=(BATCH, INPUTS)), random_states(cell, rng)
    first, second = (cell(inputs, states, training=True)[0].numpy() for _ in range(2))
    assert not np.allclose(first, second)
    assert_close(cell(inputs, states)[0], cell(inputs, states, training=False)[0])


def test_unit_weights_are_named_as_in_keras(cell_name: str) -> None:
    names = [w.name for w in built_cell(cell_name).weights]
    recurrent = ["recurrent_kernel"] if cell_name in WITH_STATE_WEIGHTS else []
    assert names == ["kernel", *recurrent, "bias"]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (SimpleRNNCell, keras.layers.SimpleRNNCell),
        (GRUCell, keras.layers.GRUCell),
        (LSTMCell, keras.layers.LSTMCell),
    ],
)
def test_cell_equals_keras_cell_with_the_same_weights(
    ours: type[RNNCell], theirs: type[keras.layers.Layer], rng: np.random.Generator
) -> None:
    mine, different = ours(UNITS), theirs(UNITS)
    inputs = rng.normal(size=(BATCH, INPUTS)).astype("float32")
    states = [state.astype("float32") for state in random_states(mine, rng)]
    different(inputs, states)
    mine(inputs, states)
    different.set_weights(randomise(mine, rng))
    assert [w.name for w in mine.weights] == [w.name for w in different.weights]
    assert_close(mine(inputs, states), different(inputs, states), atol=1e-6)
