"""The recurrent cells: one step each, the same weights at every step."""

from __future__ import annotations

from typing import Any

from textrnn.config.model import EncoderConfig
from textrnn.errors import ConfigError
from textrnn.layers.cells.base import LinearRNNCell, NonlinearRNNCell, RNNCell, States
from textrnn.layers.cells.gru import GRUCell
from textrnn.layers.cells.lstm import LSTMCell
from textrnn.layers.cells.minimal import MinGRUCell, MinLSTMCell
from textrnn.layers.cells.simple import SimpleRNNCell

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
    "make_cells",
]

CELLS: dict[str, type[RNNCell]] = {
    "simple": SimpleRNNCell,
    "gru": GRUCell,
    "lstm": LSTMCell,
    "mingru": MinGRUCell,
    "minlstm": MinLSTMCell,
}


def make_cells(
    config: EncoderConfig, *, recurrent_dropout: float = 0.0, dtype: Any = None
) -> list[RNNCell]:
    """The cells that a model's settings name, one a layer.

    Raises:
        ConfigError: A setting does not suit the cell.
    """
    settings: dict[str, Any] = {"recurrent_dropout": recurrent_dropout, "dtype": dtype}
    if config.chrono_steps:
        if config.cell == "simple":
            raise ConfigError("`chrono_steps` needs a cell with gates; the simple cell has none.")
        settings["chrono_steps"] = config.chrono_steps
    kind = CELLS[config.cell]
    return [kind(config.units, name=f"cell_{i}", **settings) for i in range(config.layers)]
