"""The labelled texts on which a command measures a run: those of the run or of the options."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from textrnn.cli.options import merge_settings
from textrnn.errors import DataError
from textrnn.inference.run_files import (
    CONFIG,
    check_finished,
    load_config,
    read_labels,
    read_provenance,
)

if TYPE_CHECKING:
    from textrnn.config.data import DataConfig
    from textrnn.data import Split
    from textrnn.progress import Reporter

__all__ = ["SOURCES", "check_run", "learned_from", "read_split"]

SOURCES = frozenset({"dataset", "train_file", "valid_file", "test_file"})
"""The settings that name other data than the data of the run."""

SplitName = Literal["train", "validation", "test"]
_FILES: dict[SplitName, str] = {
    "train": "train_file",
    "validation": "valid_file",
    "test": "test_file",
}
"""The setting that names the file of each split."""


def check_run(run: Path, given: Mapping[str, Mapping[str, Any]]) -> None:
    """Checks, without TensorFlow, that a run and the files that the user names exist.

    Args:
        run: The run folder.
        given: The settings that the user typed on the command line, by section.

    Raises:
        ModelError: The run is missing or not finished.
        DataError: A file that an option names is missing.
    """
    check_finished(run)
    for name in SOURCES - {"dataset"}:
        path = given.get("data", {}).get(name)
        if path is not None and not os.path.exists(os.path.expanduser(path)):
            raise DataError(f"{path}: expected a file, got none; check the path.")


def read_split(
    run: Path,
    which: SplitName,
    *,
    given: Mapping[str, Mapping[str, Any]],
    reporter: Reporter,
) -> Split:
    """Reads a split and reports the rows that were left out.

    Args:
        run: The folder of a finished run, whose settings hold where the user gives none.
        which: Name of the split.
        given: The settings that the user typed on the command line, by section.
        reporter: Receives the notices.

    Returns:
        The texts and their labels.

    Raises:
        DataError: The data cannot be read; the message says so if the run's settings name it.
    """
    from textrnn.data import load_split

    trained = load_config(run / CONFIG)
    config = merge_settings(trained, given)
    chosen = set(given.get("data", {}))
    _check_paths(config.data, run, which=which, chosen=chosen)
    unchanged = config.with_absolute_paths().data == trained.with_absolute_paths().data
    split, notices = load_split(
        config,
        which,
        seed=config.runtime.seed,
        label_names=read_labels(run),
        trained_on=read_provenance(run) if unchanged else None,
    )
    if which == "test" and not unchanged:
        notices = (*notices, *learned_from([run], config.data))
    for notice in notices:
        reporter.message(f"note: {notice}")
    return split


def learned_from(runs: Sequence[Path], data: DataConfig) -> list[str]:
    """Returns a warning for each run that was trained on the file that is to test it.

    Args:
        runs: The run folders.
        data: The settings that name the test data.
    """
    warnings = []
    for run in runs:
        trained = load_config(run / CONFIG).data
        if any(
            _is_same_file(path, data.test_file) for path in (trained.train_file, trained.valid_file)
        ):
            warnings.append(
                f"{data.test_file} is what {run} learned from, so its figures there say nothing "
                "about other texts."
            )
    return warnings


def _is_same_file(first: str | None, second: str | None) -> bool:
    if first is None or second is None:
        return False
    return os.path.exists(first) and os.path.exists(second) and os.path.samefile(first, second)


def _check_paths(data: DataConfig, run: Path, *, which: SplitName, chosen: set[str]) -> None:
    """Raises DataError if a file that the run was trained with no longer exists."""
    needed = [_FILES[which]]
    if which == "train" or (which == "validation" and data.valid_file is None):
        needed = ["train_file"]
    for name in needed:
        path = getattr(data, name)
        if path is None or name in chosen:
            continue
        if not os.path.exists(path) or path.startswith(("/dev/", "/proc/")):
            raise DataError(
                f"{run}: expected the {which} data that the run was trained with, {path} (from "
                f"{run / 'config.yaml'}), got no such file; put it back, or name the data by "
                f"--{_FILES[which].replace('_', '-')}."
            )
