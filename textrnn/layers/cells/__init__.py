"""The recurrent cells: each is one step, with the same weights at every step."""

from __future__ import annotations

from textrnn.layers.cells.base import RNNCell, States
from textrnn.layers.cells.gru import GRUCell
from textrnn.layers.cells.linear import LinearRNNCell
from textrnn.layers.cells.lstm import LSTMCell, LSTMState
from textrnn.layers.cells.minimal import MinGRUCell, MinLSTMCell
from textrnn.layers.cells.nonlinear import NonlinearRNNCell
from textrnn.layers.cells.simple import SimpleRNNCell

__all__ = [
    "CELLS",
    "GRUCell",
    "LSTMCell",
    "LSTMState",
    "LinearRNNCell",
    "MinGRUCell",
    "MinLSTMCell",
    "NonlinearRNNCell",
    "RNNCell",
    "SimpleRNNCell",
    "States",
]

CELLS: dict[str, type[RNNCell]] = {
    "simple": SimpleRNNCell,
    "gru": GRUCell,
    "lstm": LSTMCell,
    "mingru": MinGRUCell,
    "minlstm": MinLSTMCell,
}
