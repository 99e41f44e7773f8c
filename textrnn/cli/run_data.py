"""The run that a command measures, and the settings of other data to measure it on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from textrnn.data.paths import check_exists
from textrnn.inference.run_files import check_finished

__all__ = ["check_run", "data_settings"]

_FILES = ("train_file", "valid_file", "test_file")


def check_run(run: Path, given: Mapping[str, Mapping[str, Any]]) -> None:
    """Checks, before TensorFlow is loaded, whether a run and the given files exist.

    Args:
        run: The run folder.
        given: The settings of the command line, by section.

    Raises:
        ModelError: The run is missing or not finished.
        DataError: A file that an option names is missing.
    """
    check_finished(run)
    for name in _FILES:
        path = given.get("data", {}).get(name)
        if path is not None:
            check_exists(path)


def data_settings(given: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Returns the settings of the data and of its labels that the user typed.

    Args:
        given: The settings of the command line, by section.
    """
    return {**given.get("data", {}), **given.get("task", {})}
