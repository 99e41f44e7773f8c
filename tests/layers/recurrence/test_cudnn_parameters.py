"""The flat buffer of weights, read by independent recurrences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import reference
import tensorflow as tf
from cases import BATCH, INPUTS, STEPS, UNITS, assert_close, built_cell, randomise
from cudnn_standin import cudnn_rnn

from textrnn.errors import ConfigError
from textrnn.layers.cells import GRUCell, RNNCell
from textrnn.layers.recurrence.cudnn_parameters import cudnn_form, parameters_to_cudnn

MODES = {"simple": "rnn_tanh", "gru": "gru", "lstm": "lstm"}

each_nonlinear_cell = pytest.mark.parametrize("cell_name", MODES)


def two_cells(cell_name: str, rng: np.random.Generator) -> list[Any]:
    cells: list[Any] = [built_cell(cell_name), built_cell(cell_name)]
    for cell in cells:
        randomise(cell, rng)
    return cells


@each_nonlinear_cell
def test_an_independent_recurrence_reads_the_buffer(
    cell_name: str, rng: np.random.Generator
) -> None:
    cells = two_cells(cell_name, rng)
    sequence = rng.normal(size=(BATCH, STEPS, INPUTS))
    starts = rng.normal(size=(2, 2, BATCH, UNITS))  # direction, state
    result = cudnn_rnn(
        input=tf.constant(sequence.transpose(1, 0, 2)),
        input_h=tf.constant(starts[:, 0]),
        input_c=tf.constant(starts[:, 1]),
        params=parameters_to_cudnn(cells),
        sequence_lengths=tf.fill([BATCH], STEPS),
        rnn_mode=MODES[cell_name],
        direction="bidirectional",
        is_training=True,
        time_major=True,
    )
    outputs = [
        reference.recur(
            reference.STEPS[cell_name],
            sequence,
            starts[d][: cell.state_count],
            cell.get_weights(),
            reverse=d == 1,
        )[0]
        for d, cell in enumerate(cells)
    ]
    assert_close(tf.transpose(result.output, [1, 0, 2]), np.concatenate(outputs, axis=-1))


@each_nonlinear_cell
def test_torch_has_the_weights_in_the_same_order(cell_name: str, rng: np.random.Generator) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    cells = two_cells(cell_name, rng)
    buffer = parameters_to_cudnn(cells).numpy()
    kind = {"simple": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[cell_name]
    layer = kind(INPUTS, UNITS, bidirectional=True, dtype=torch.float64)
    names = [
        f"{name}_l0{direction}"
        for kinds in (("weight_ih", "weight_hh"), ("bias_ih", "bias_hh"))
        for direction in ("", "_reverse")
        for name in kinds
    ]
    place = 0
    for parameter in (getattr(layer, name) for name in names):
        size = parameter.numel()
        values = torch.from_numpy(buffer[place : place + size].copy())
        parameter.data = values.reshape(parameter.shape)
        place += size
    assert place == len(buffer)
    sequence = rng.normal(size=(BATCH, STEPS, INPUTS))
    zeros = [np.zeros((BATCH, UNITS))] * cells[0].state_count
    outputs = [
        reference.recur(
            reference.STEPS[cell_name], sequence, zeros, cell.get_weights(), reverse=d == 1
        )[0]
        for d, cell in enumerate(cells)
    ]
    actual, _ = layer(torch.from_numpy(sequence.transpose(1, 0, 2).copy()))
    assert_close(
        actual.detach().numpy().transpose(1, 0, 2), np.concatenate(outputs, axis=-1), atol=1e-10
    )


class OwnGRU(GRUCell):
    """A subclass may change the equations."""


@pytest.mark.parametrize("cell", [built_cell("mingru"), OwnGRU(UNITS)], ids=["linear", "subclass"])
def test_other_cells_have_no_form(cell: RNNCell) -> None:
    assert cudnn_form(cell) is None
    with pytest.raises(ConfigError, match=f"got {type(cell).__name__}; choose another kernel"):
        parameters_to_cudnn([cell])
