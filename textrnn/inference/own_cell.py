"""A cell of the user's in the settings of a run: its name, and the modules that define it.

The settings record both, `cell` and `imports`, so that a process which knows nothing of the cell
can import it before it makes the model.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from textrnn.config.model import EncoderConfig
from textrnn.errors import ConfigError
from textrnn.models.cell_names import cell_class, cell_name, is_known

__all__ = ["import_cell", "with_names"]


def with_names(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Returns settings with the name of a cell class, and of its module, in place of the class.

    Args:
        settings: Settings by name. `cell` may be a class that is registered with Keras.

    Raises:
        ConfigError: The class is no cell, or is not registered.
    """
    cell = settings.get("cell", "none")
    if isinstance(cell, str):
        return dict(settings)
    name = cell_name(cell)
    if ">" not in name or cell.__module__ == "__main__":  # A script cannot be imported.
        return {**settings, "cell": name}
    return {"imports": cell.__module__, **settings, "cell": name}


def import_cell(encoder: EncoderConfig, *, run: Path | None = None) -> None:
    """Imports the modules of the settings, unless their cell is known already.

    A run folder holds data, which must never be executed; a module inside of it is an error.

    Args:
        encoder: The settings.
        run: The run folder that the settings come from; None: the user has given them.

    Raises:
        ConfigError: A module is not found or is in the run folder, or no module registers the cell.
    """
    if encoder.cell == "none" or is_known(encoder.cell):
        return
    for name in encoder.modules:
        _check_place(name, run)
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise _not_found(name, error) from None
    cell_class(encoder.cell)


def _check_place(module: str, run: Path | None) -> None:
    """Raises ConfigError if a module of a run's settings is not one that the user has put there."""
    if run is None:
        return
    parts = module.split(".")
    if parts[0] in sys.stdlib_module_names:
        raise ConfigError(f"`imports` must name modules that define cells, got {module}.")
    for count in range(1, len(parts) + 1):  # Python imports the outer packages to find a module.
        try:
            spec = importlib.util.find_spec(".".join(parts[:count]))
        except (ImportError, ValueError) as error:
            raise _not_found(module, error) from None
        if spec is None:
            return
        for place in (spec.origin, *(spec.submodule_search_locations or ())):
            if place is not None and Path(place).resolve().is_relative_to(run.resolve()):
                raise ConfigError(
                    f"`imports` must name modules outside of the run folder, got {module}, which "
                    f"is {place}; move the file, and set PYTHONPATH to its folder."
                )


def _not_found(module: str, error: Exception) -> ConfigError:
    return ConfigError(
        f"`imports` names the module {module}, which cannot be imported ({error}); set PYTHONPATH "
        "to the folder of its file, start in that folder, or install the module."
    )
