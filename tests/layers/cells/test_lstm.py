"""Properties of the LSTM, and the forget bias that minLSTM shares with it."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from cases import BATCH, INPUTS, UNITS, assert_close, built_cell, random_states, randomise


@pytest.mark.parametrize("name", ["lstm", "minlstm"])
def test_forget_bias_can_be_left_to_the_initializer(name: str) -> None:
    cell = built_cell(name, unit_forget_bias=False, bias_initializer=keras.initializers.Constant(3))
    assert_close(cell.bias, np.full(cell.bias.shape, 3.0))


def test_an_open_forget_gate_and_a_shut_input_gate_keep_the_memory(
    rng: np.random.Generator,
) -> None:
    cell = built_cell("lstm")
    kernel, recurrent_kernel, bias = randomise(cell, rng)
    bias[:UNITS], bias[UNITS : 2 * UNITS] = -50.0, 50.0
    cell.set_weights([kernel, recurrent_kernel, bias])
    states = random_states(cell, rng)
    output, (h, c) = cell(rng.normal(size=(BATCH, INPUTS)), states)
    assert_close(c, states[1])
    assert_close(output, h)
