"""The names of cells in settings: those of the built-in cells, and those registered with Keras."""

from __future__ import annotations

import keras

from textrnn.errors import ConfigError
from textrnn.layers.cells import CELLS, RNNCell

__all__ = ["cell_class", "cell_name", "is_known", "own_cells"]


def is_known(name: str) -> bool:
    """Returns whether a cell has this name, or a class is registered with Keras under it."""
    return name in CELLS or keras.saving.get_registered_object(name) is not None


def own_cells() -> list[str]:
    """Returns the names, `package>Name`, of the registered cells that are not textrnn's."""
    return sorted(
        name
        for name, known in keras.saving.get_custom_objects().items()
        if isinstance(known, type) and issubclass(known, RNNCell) and "textrnn>" not in name
    )


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
            f"`cell` must be one of {', '.join(CELLS)}, or the name of a registered class "
            f"({', '.join(own_cells()) or 'none is registered'}), got {name!r}; in Python, import "
            "the module that defines the cell first, elsewhere name the module in `imports`."
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
