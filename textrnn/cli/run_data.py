"""The labelled texts that a command measures a run on: the run's own, or those of the options."""

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
"""The options that name other data than the run's own."""

SplitName = Literal["train", "validation", "test"]
_FILES = {"train": "train_file", "validation": "valid_file", "test": "test_file"}


def check_run(run: Path, given: Mapping[str, Mapping[str, Any]]) -> None:
    """Finds out, before TensorFlow is waited for, whether a run and the given files are there.

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
    """Reads a split and reports what was left out of it.

    Args:
        run: The folder of a finished run, whose settings hold where the options do not say.
        which: The split.
        given: The settings of the command line, by section.
        reporter: Receives the notices.

    Raises:
        DataError: The data cannot be read; if its path is the run's, the message says so.
    """
    from textrnn.data import load_split

    trained = load_config(run / CONFIG)
    config = merge_settings(trained, given)
    chosen = set(given.get("data", {}))
    _check_paths(config.data, run, which, chosen)
    own = config.with_absolute_paths().data == trained.with_absolute_paths().data
    split, notices = load_split(
        config,
        which,
        seed=config.runtime.seed,
        label_names=read_labels(run),
        trained_on=read_provenance(run) if own else None,
    )
    if which == "test" and not own:
        notices = (*notices, *learned_from([run], config.data))
    for notice in notices:
        reporter.message(f"note: {notice}")
    return split


def learned_from(runs: Sequence[Path], data: DataConfig) -> list[str]:
    """A sentence for each run that learned from the file that it is to be tested on."""
    return [
        f"{data.test_file} is what {run} learned from: its figures say nothing about other texts."
        for run in runs
        if any(
            _is_same_file(path, data.test_file)
            for own in [load_config(run / CONFIG).data]
            for path in (own.train_file, own.valid_file)
        )
    ]


def _is_same_file(one: str | None, other: str | None) -> bool:
    both = one is not None and other is not None and os.path.exists(one) and os.path.exists(other)
    return both and os.path.samefile(str(one), str(other))


def _check_paths(data: DataConfig, run: Path, which: SplitName, chosen: set[str]) -> None:
    """Raises DataError if a file that the run was trained with is no longer there."""
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
