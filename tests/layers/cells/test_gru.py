"""Properties of the GRU alone."""

from __future__ import annotations

import numpy as np
from cases import BATCH, INPUTS, UNITS, assert_close, built_cell, random_states, randomise

FAR = 50.0
"""A pre-activation at which a gate is open (or, negated, shut) to the last bit that counts."""


def test_an_open_update_gate_keeps_the_state(rng: np.random.Generator) -> None:
    cell = built_cell("gru")
    kernel, recurrent_kernel, bias = randomise(cell, rng)
    bias[0, :UNITS] = FAR
    cell.set_weights([kernel, recurrent_kernel, bias])
    inputs, states = rng.normal(size=(BATCH, INPUTS)), random_states(cell, rng)
    assert_close(cell(inputs, states)[0], states[0])


def test_a_shut_reset_gate_hides_the_state_but_not_the_recurrent_bias(
    rng: np.random.Generator,
) -> None:
    cell = built_cell("gru")
    kernel, recurrent_kernel, bias = randomise(cell, rng)
    bias[0, :UNITS], bias[0, UNITS : 2 * UNITS] = -FAR, -FAR
    cell.set_weights([kernel, recurrent_kernel, bias])
    inputs, states = rng.normal(size=(BATCH, INPUTS)), random_states(cell, rng)
    candidate = np.tanh(inputs @ kernel[:, 2 * UNITS :] + bias[0, 2 * UNITS :])
    assert_close(cell(inputs, states)[0], candidate)
