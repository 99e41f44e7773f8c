"""Runs that differ in one setting, each trained by a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.errors import ConfigError
from textrnn.host.atomic import write_atomically
from textrnn.inference import run_folder
from textrnn.progress import Reporter
from textrnn.training.run.folder import hold

__all__ = ["train_each", "varied"]

STOPPING_SECONDS = 120.0
"""What an interrupted training gets to write its checkpoint."""


def varied(config: ClassifierRunConfig, setting: str, values: Sequence[Any]) -> dict[str, ClassifierRunConfig]:
    """The settings with each of some values for one of them, by names such as `head=mean`.

    Raises:
        ConfigError: The setting is unknown or one of the data, a value is wrong, or there are not
            two different ones.
    """
    settings = config.to_dict()
    section = next((s for s, known in settings.items() if s != "data" and setting in known), None)
    if section is None:
        known = sorted(name for s, names in settings.items() if s != "data" for name in names)
        raise ConfigError(f"expected a setting to vary ({', '.join(known)}), got {setting!r}.")
    if len(set(values)) < max(len(values), 2):
        raise ConfigError(f"expected at least two different values of `{setting}`.")
    found = {}
    for value in values:
        changed = {**settings, section: {**settings[section], setting: value}}
        shown = "auto" if value is None else str(value)
        found[f"{setting}={shown.replace(os.sep, '_')}"] = ClassifierRunConfig.from_dict(changed)
    return found


def train_each(configs: dict[str, ClassifierRunConfig], output: Path, *, reporter: Reporter) -> list[Path]:
    """Trains a run for each of some settings, one after the other, into `output`/NAME.

    A run that is finished is kept, and an unfinished one gone on with. What `textrnn train` tells
    is in NAME.log.

    Args:
        configs: The settings by the run's name.
        output: The folder that the run folders are made in.
        reporter: Told what is going on.

    Returns:
        The run folders.

    Raises:
        ConfigError: A folder holds a run with other settings, or a training failed.
    """
    with hold(output), reporter.step("runs", total=len(configs)) as advance:
        for name, config in configs.items():
            _train(name, config, output, reporter)
            advance(1, name)
    return [output / name for name in configs]


def _train(name: str, config: ClassifierRunConfig, output: Path, reporter: Reporter) -> None:
    run, settings, log = output / name, output / f"{name}.yaml", output / f"{name}.log"
    if (run / run_folder.CONFIG).is_file():
        if not config.resumes(run_folder.load_config(run / run_folder.CONFIG)):
            raise ConfigError(f"{run} holds a run with other settings; choose another --output.")
        if run_folder.is_complete(run):
            reporter.message(f"{name}: finished already")
            return
    write_atomically(settings, yaml.safe_dump(config.to_dict(), sort_keys=False))
    reporter.message(f"{name}: training, told of in {log}")
    command = [sys.executable, "-m", "textrnn", "train", "--resume-or-start"]
    command += ["--config", str(settings), "--output", str(run)]
    with log.open("a", encoding="utf-8") as file:
        code = _call(command, file)
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    if code:
        raise ConfigError(f"{name}: the training failed ({' '.join(lines[-1:])}); see {log}.")
    reporter.message(f"{name}: {next((x for x in reversed(lines) if ' accuracy ' in x), 'done')}")


def _call(command: list[str], log: Any) -> int:
    """Runs a training to its end; an interruption, which reaches it too, has it save first."""
    with subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            try:
                process.wait(STOPPING_SECONDS)
            except (KeyboardInterrupt, subprocess.TimeoutExpired):
                process.terminate()
            raise
