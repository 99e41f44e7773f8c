"""The recurrent cells: one step each, the same weights at every step."""

from textrnn.cells.base import LinearRNNCell, NonlinearRNNCell, RNNCell, States
from textrnn.cells.gru import GRUCell
from textrnn.cells.lstm import LSTMCell
from textrnn.cells.minimal import MinGRUCell, MinLSTMCell
from textrnn.cells.simple import SimpleRNNCell

__all__ = [
    "CELLS",
    "GRUCell",
    "LSTMCell",
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
