"""Trains several runs that do not depend on each other, each in its own process."""

from __future__ import annotations

import os
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
from textrnn.training.search.child import Ended, Training
from textrnn.training.search.runner import OneByOne, Runner

__all__ = ["train_all", "varied"]


def varied(
    config: ClassifierRunConfig, *, setting: str, values: Sequence[Any]
) -> dict[str, ClassifierRunConfig]:
    """Returns one config per value of a setting, by names such as `head=mean`.

    Args:
        config: All other settings.
        setting: The name of the setting.
        values: At least two different values.

    Raises:
        ConfigError: The setting is unknown or describes the data, a value is wrong, or there are
            not two different values.
    """
    sections = ClassifierRunConfig.section_of()
    names = sorted(name for name, section in sections.items() if section not in ("data", "task"))
    if setting not in names:
        raise ConfigError(f"expected a setting to vary ({', '.join(names)}), got {setting!r}.")
    if len(set(values)) < max(len(values), 2):
        raise ConfigError(f"expected at least two different values of `{setting}`.")
    configs = {}
    for value in values:
        text = "auto" if value is None else str(value)
        configs[f"{setting}={text.replace(os.sep, '_')}"] = config.replace(**{setting: value})
    return configs


def train_all(
    configs: dict[str, ClassifierRunConfig],
    output: Path,
    *,
    reporter: Reporter,
    runner: Runner | None = None,
) -> list[Path]:
    """Trains one run per config into the folder `output`/NAME.

    A finished run is not trained again, and an unfinished run is resumed. The file NAME.log
    contains the output of `textrnn train`.

    Args:
        configs: The settings of each run, by the name of the run.
        output: The folder of the run folders.
        reporter: Shows progress.
        runner: Carries out the trainings; None: one after the other.

    Returns:
        The run folders.

    Raises:
        ConfigError: A folder contains a run with other settings, or a training failed.
    """
    runner = runner or OneByOne()
    with hold(output), reporter.step("runs", total=len(configs)) as advance:
        waiting = [
            name
            for name, config in configs.items()
            if not _is_finished(output / name, config, reporter=reporter)
        ]
        running: set[str] = set()
        advance(len(configs) - len(waiting))
        while waiting or running:
            while waiting and len(running) < runner.parallel:
                name = waiting.pop(0)
                runner.start(name, _training(output / name, configs[name], reporter=reporter))
                running.add(name)
            name, ended = runner.next()
            running.remove(name)
            _check(output / name, ended, reporter=reporter)
            advance(1, name)
    return [output / name for name in configs]


def _is_finished(run: Path, config: ClassifierRunConfig, *, reporter: Reporter) -> bool:
    """Returns whether the folder contains the finished run with these settings.

    Raises:
        ConfigError: It contains a run with other settings.
    """
    if not (run / run_folder.CONFIG).is_file():
        return False
    stored = run_folder.load_config(run / run_folder.CONFIG)
    if not config.with_choices_of(stored).resumes(stored):
        raise ConfigError(f"{run} contains a run with other settings; choose another `output`.")
    if not run_folder.is_complete(run):
        return False
    reporter.message(f"{run.name}: finished already")
    return True


def _training(run: Path, config: ClassifierRunConfig, *, reporter: Reporter) -> Training:
    settings, log = run.with_name(f"{run.name}.yaml"), _log(run)
    write_atomically(settings, yaml.safe_dump(config.to_dict(), sort_keys=False))
    reporter.message(f"{run.name}: training; the log is {log}")
    return Training(settings, run, log, options=("--resume-or-start",))


def _check(run: Path, ended: Ended, *, reporter: Reporter) -> None:
    """Reports the accuracy of a run; raises ConfigError if its training failed."""
    lines = _log(run).read_text(encoding="utf-8", errors="replace").strip().splitlines()
    if ended.code:
        raise ConfigError(
            f"{run.name}: the training failed ({' '.join(lines[-1:])}); see {_log(run)}."
        )
    accuracy = next((line for line in reversed(lines) if " accuracy " in line), "done")
    reporter.message(f"{run.name}: {accuracy}")


def _log(run: Path) -> Path:
    return run.with_name(f"{run.name}.log")
