"""Trains several runs that differ in one setting, each in its own process."""

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
from textrnn.training.search.child import TrainChild, train_child

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
    train: TrainChild = train_child,
) -> list[Path]:
    """Trains one run per config, one after the other, into the folder `output`/NAME.

    A finished run is not trained again, and an unfinished run is resumed. The file NAME.log
    contains the output of `textrnn train`.

    Args:
        configs: The settings of each run, by the name of the run.
        output: The folder of the run folders.
        reporter: Shows progress.
        train: Trains one run in another process.

    Returns:
        The run folders.

    Raises:
        ConfigError: A folder contains a run with other settings, or a training failed.
    """
    with hold(output), reporter.step("runs", total=len(configs)) as advance:
        for name, config in configs.items():
            _train(output / name, config, reporter=reporter, train=train)
            advance(1, name)
    return [output / name for name in configs]


def _train(
    run: Path, config: ClassifierRunConfig, *, reporter: Reporter, train: TrainChild
) -> None:
    name = run.name
    settings, log = run.with_name(f"{name}.yaml"), run.with_name(f"{name}.log")
    if (run / run_folder.CONFIG).is_file():
        stored = run_folder.load_config(run / run_folder.CONFIG)
        if not config.with_choices_of(stored).resumes(stored):
            raise ConfigError(f"{run} contains a run with other settings; choose another `output`.")
        if run_folder.is_complete(run):
            reporter.message(f"{name}: finished already")
            return
    write_atomically(settings, yaml.safe_dump(config.to_dict(), sort_keys=False))
    reporter.message(f"{name}: training; the log is {log}")
    code = train(settings, run, log=log, options=("--resume-or-start",))
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    if code:
        raise ConfigError(f"{name}: the training failed ({' '.join(lines[-1:])}); see {log}.")
    reporter.message(f"{name}: {next((x for x in reversed(lines) if ' accuracy ' in x), 'done')}")
