"""The run and the files that a command measures it on: checks them, reads the labelled texts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textrnn.errors import DataError
from textrnn.inference.run_files import check_finished

if TYPE_CHECKING:
    from textrnn.data import Split
    from textrnn.evaluation.labelled_data import SplitName
    from textrnn.progress import Reporter

__all__ = ["check_run", "data_settings", "read_split"]

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
        if path is not None and not os.path.exists(os.path.expanduser(path)):
            raise DataError(f"{path}: expected a file, got none; check the path.")


def data_settings(given: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Returns the settings of the data and of its labels that the user typed.

    Args:
        given: The settings of the command line, by section.
    """
    return {**given.get("data", {}), **given.get("task", {})}


def read_split(
    run: Path,
    which: SplitName,
    *,
    given: Mapping[str, Mapping[str, Any]],
    reporter: Reporter,
) -> Split:
    """Reads a split of the data of a run, and reports the notices about it.

    Args:
        run: The folder of a finished run.
        which: The name of the split.
        given: The settings of the command line, by section, which replace those of the run.
        reporter: Receives the notices.

    Raises:
        DataError: The data cannot be read.
    """
    from textrnn.evaluation.labelled_data import LabelledData
    from textrnn.evaluation.opened_run import RunRecord

    data = LabelledData(split=which, settings=data_settings(given))
    return data.read(RunRecord.of(run), reporter=reporter)
