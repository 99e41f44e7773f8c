"""Making the layers of a model from its settings."""

from __future__ import annotations

from typing import Any

import keras

from textrnn.config.model import EncoderConfig
from textrnn.errors import ConfigError
from textrnn.layers.cells import CELLS, RNNCell
from textrnn.layers.stack import RNNStack

__all__ = ["cell_class", "cell_name", "make_cells", "make_stack"]


def cell_class(name: str) -> type[RNNCell]:
    """Returns the class of a cell.

    Args:
        name: One of `CELLS`, or the name `package>Name` of a class that is registered with Keras.

    Raises:
        ConfigError: The name is unknown, or names something else.
    """
    if name in CELLS:
        return CELLS[name]
    registered = keras.saving.get_registered_object(name)
    if registered is None:
        raise ConfigError(
            f"`cell` must be one of {', '.join(CELLS)}, or the name of a registered class, got "
            f"{name!r}; in Python, import the module that defines the cell first."
        )
    if not (isinstance(registered, type) and issubclass(registered, RNNCell)):
        raise ConfigError(f"`cell` must be a subclass of RNNCell, got {registered!r}.")
    return registered


def cell_name(cell: type[RNNCell]) -> str:
    """Returns the name by which `cell_class` finds the class.

    >>> from textrnn.layers.cells import LSTMCell
    >>> cell_name(LSTMCell)
    'lstm'

    Raises:
        ConfigError: The class is no cell, or is not registered with Keras.
    """
    if not (isinstance(cell, type) and issubclass(cell, RNNCell)):
        raise ConfigError(f"`cell` must be a name or a subclass of RNNCell, got {cell!r}.")
    for name, known in CELLS.items():
        if known is cell:
            return name
    name = keras.saving.get_registered_name(cell)
    if keras.saving.get_registered_object(name) is not cell:
        raise ConfigError(
            f"{cell.__name__} must be registered with Keras, so that a run can be loaded; decorate "
            'it with @keras.saving.register_keras_serializable(package="...").'
        )
    return str(name)


def make_cells(
    config: EncoderConfig, *, recurrent_dropout: float = 0.0, dtype: Any = None
) -> list[RNNCell]:
    """Makes the cells that a model's settings name, one per layer.

    Args:
        config: The settings; the cell must not be `none`.
        recurrent_dropout: As in `RNNCell`.
        dtype: The dtype policy.

    Raises:
        ConfigError: A setting does not suit the cell.
    """
    settings: dict[str, Any] = {"recurrent_dropout": recurrent_dropout, "dtype": dtype}
    if config.chrono_steps:
        if config.cell == "simple":
            raise ConfigError("`chrono_steps` needs a cell with gates; the simple cell has none.")
        settings["chrono_steps"] = config.chrono_steps
    cell = cell_class(config.cell)
    return [cell(config.units, name=f"cell_{i}", **settings) for i in range(config.layers)]


def make_stack(
    config: EncoderConfig,
    *,
    recurrent_dropout: float = 0.0,
    dropout: float = 0.0,
    dtype: Any = None,
    **settings: Any,
) -> RNNStack:
    """Makes the recurrent layers that a model's settings name.

    A model cuts its batches itself, so that all of its layers run in parts; the stack does not.

    Args:
        config: The settings; the cell must not be `none`.
        recurrent_dropout: As in `RNNCell`.
        dropout: As in `RNNStack`.
        dtype: The dtype policy.
        **settings: The other arguments of `RNNStack`.

    Raises:
        ConfigError: A setting does not suit the others.
    """
    return RNNStack(
        make_cells(config, recurrent_dropout=recurrent_dropout, dtype=dtype),
        window=config.window,
        residual=config.residual,
        dropout=dropout,
        kernel=config.kernel,
        recompute=config.recompute,
        batch_parts=1,
        **settings,
    )
