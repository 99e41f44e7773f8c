"""Properties of the cells whose gates see only the input."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from cases import BATCH, INPUTS, UNITS, assert_close, built_cell, random_states, randomise

from textrnn.layers.cells import LinearRNNCell

pytestmark = pytest.mark.parametrize("name", ["mingru", "minlstm"])


def test_the_state_is_linear_in_the_last(name: str, rng: np.random.Generator) -> None:
    cell = built_cell(name)
    assert isinstance(cell, LinearRNNCell)
    randomise(cell, rng)
    gates, (h,) = cell.project(rng.normal(size=(BATCH, INPUTS))), random_states(cell, rng)
    decay, update = cell.coefficients(gates)
    assert_close(cell.step(gates, (h,))[0], decay * h + update)


def test_coefficients_of_all_steps_are_known_at_once(name: str, rng: np.random.Generator) -> None:
    cell = built_cell(name)
    randomise(cell, rng)
    gates = cell.project(rng.normal(size=(BATCH, 4, INPUTS)))
    for whole, steps in zip(
        cell.coefficients(gates),
        zip(*(cell.coefficients(gates[:, t]) for t in range(4)), strict=True),
        strict=True,
    ):
        assert_close(whole, tf.stack(steps, axis=1))


def test_a_state_stays_between_the_last_and_the_candidate(
    name: str, rng: np.random.Generator
) -> None:
    cell = built_cell(name)
    randomise(cell, rng)
    gates, (h,) = cell.project(rng.normal(size=(BATCH, INPUTS))), random_states(cell, rng)
    candidate = gates[:, -UNITS:]
    new = cell.step(gates, (h,))[0]
    assert np.all((new >= np.minimum(h, candidate)) & (new <= np.maximum(h, candidate)))


@pytest.mark.parametrize("size", [-1e4, 1e4])
def test_extreme_gates_give_finite_numbers_and_gradients(name: str, size: float) -> None:
    cell = built_cell(name, units=1, dtype="float32")
    gates = tf.constant([[size] * (cell.gate_count - 1) + [2.0]])
    with tf.GradientTape() as tape:
        tape.watch(gates)
        output, _ = cell.step(gates, (tf.constant([[3.0]]),))
    assert np.isfinite(output)
    assert np.all(np.isfinite(tape.gradient(output, gates)))
