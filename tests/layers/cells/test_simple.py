"""Properties of the simple cell alone."""

from __future__ import annotations

import numpy as np
from cases import assert_close

from textrnn.layers.cells import SimpleRNNCell


def test_two_steps_by_hand() -> None:
    cell = SimpleRNNCell(1, dtype="float64")
    cell.build((None, 1))
    cell.set_weights([np.array([[2.0]]), np.array([[-1.0]]), np.array([0.5])])
    first, state = cell(np.array([[1.0]]), [np.array([[0.0]])])
    second, _ = cell(np.array([[0.25]]), state)
    assert_close(first, np.array([[np.tanh(2.5)]]))
    assert_close(second, np.array([[np.tanh(1.0 - np.tanh(2.5))]]))
