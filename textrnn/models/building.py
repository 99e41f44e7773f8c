"""Making the layers of a model from its settings."""

from __future__ import annotations

import inspect
from typing import Any

from textrnn.config.model import EncoderConfig
from textrnn.errors import ConfigError
from textrnn.layers.cells import RNNCell
from textrnn.layers.stack import RNNStack
from textrnn.models.cell_names import cell_class

__all__ = ["make_cells", "make_stack"]


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
    cell = cell_class(config.cell)
    if config.chrono_steps:
        if config.cell == "simple":
            raise ConfigError("`chrono_steps` needs a cell with gates; the simple cell has none.")
        if not _takes(cell, "chrono_steps"):
            raise ConfigError(
                f"`chrono_steps` needs a cell that takes it, and {cell.__name__} does not; leave "
                "it out, or let the cell's `__init__` take it and its `gate_biases` use it."
            )
        settings["chrono_steps"] = config.chrono_steps
    try:
        inspect.signature(cell.__init__).bind(None, config.units, name="cell_0", **settings)
    except TypeError as error:
        raise ConfigError(
            f"`__init__` of {cell.__name__} must take `units` and `**kwargs`, which it passes to "
            f"RNNCell, but {error}."
        ) from None
    return [cell(config.units, name=f"cell_{i}", **settings) for i in range(config.layers)]


def _takes(cell: type[RNNCell], argument: str) -> bool:
    """Returns whether the class or one of its bases names an argument of its `__init__`."""
    return any(
        argument in inspect.signature(base.__init__).parameters
        for base in cell.__mro__
        if issubclass(base, RNNCell)
    )


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
