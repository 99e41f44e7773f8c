"""The search for settings: many short trainings, each chosen by what the ones before came to."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import yaml
from matplotlib.figure import Figure
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.errors import ConfigError
from textrnn.host.atomic import write_atomically
from textrnn.inference import run_folder
from textrnn.models.classifier import TextClassifier
from textrnn.pictures import png
from textrnn.progress import Reporter
from textrnn.text.vocabulary_size import MOST_PIECES
from textrnn.training.run.faults import spared
from textrnn.training.run.folder import hold

__all__ = ["SEARCHED", "Outcome", "shown", "tune"]

SEARCHED: dict[str, dict[str, Any]] = {
    "model": {
        "cell": ("mingru", "minlstm", "gru", "lstm", "none"),
        "head": ("attention", "mean", "max", "last"),
        "units": (32, 64, 128, 256),
        "embedding_units": (16, 32, 64, 128, 256),
        "bidirectional": (True, False),
        "window": (1, 2, 3),
        "embedding_dropout": (0.0, 0.25, 0.5, 0.7),
        "dropout": (0.0, 0.25, 0.5, 0.7),
        "word_dropout": (0.0, 0.1, 0.2, 0.3),
    },
    "tokenizer": {"vocab_size": (None, 1000, 2000, 4000, 8000, 16000, 32000)},
    "training": {"learning_rate": (3e-4, 3e-2)},
}
"""What is searched, by section: the values of a setting; of the learning rate its bounds."""

STUDY = "study.log"
TRIALS = "trials"
BEST = "best"
FEWEST_SECONDS = 20.0
"""Left of the budget, below which no other trial is begun."""


@dataclass(frozen=True)
class Outcome:
    """One trial.

    Attributes:
        number: From 0.
        state: complete, too_large (not trained) or failed.
        score: On the validation data: accuracy, or micro F1 if multi-label; None if not trained.
        size: Bytes of the weights, each of 4 bytes, and of a full vocabulary.
        seconds: What it took.
        settings: What was tried.
        run: The run folder.
    """

    number: int
    state: str
    score: float | None
    size: int
    seconds: float
    settings: dict[str, Any]
    run: Path


def tune(
    config: ClassifierRunConfig,
    output: Path,
    *,
    fixed: Set[str],
    seconds: float,
    trial_seconds: float,
    most_bytes: int | None,
    most_trials: int | None,
    reporter: Reporter,
) -> list[Outcome]:
    """Searches until the time is used up; goes on with a search that the folder already holds.

    Each trial is a training of its own process and run folder, so that its failure is only its
    own; the test data is not looked at. The sampler is TPE (Bergstra et al. 2011, "Algorithms for
    Hyper-Parameter Optimization"), which takes the size for a constraint.

    Args:
        config: What is not searched.
        output: The folder of the search.
        fixed: Names of settings that keep the config's value.
        seconds: For all trials, those of an earlier call included.
        trial_seconds: For one trial.
        most_bytes: The largest model, by `Outcome.size`; None: any.
        most_trials: How many are trained; None: as many as the time allows.
        reporter: Told what is going on.

    Returns:
        The outcomes, best first. The best one's run is copied to `best` in the folder.

    Raises:
        ConfigError: The folder holds the search of other settings, or all trials have failed.
    """
    with hold(output):
        _check_same(output, config, fixed, most_bytes)
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(
            study_name="textrnn",
            storage=JournalStorage(JournalFileBackend(str(output / STUDY))),
            load_if_exists=True,
            direction="maximize",
            sampler=optuna.samplers.TPESampler(seed=config.runtime.seed + _trial_count(output)),
        )
        _begin_again(study)
        while True:
            outcomes = _outcomes(study, output)
            left = seconds - sum(outcome.seconds for outcome in outcomes)
            trained = sum(outcome.state != "too_large" for outcome in outcomes)
            if left < min(FEWEST_SECONDS, seconds) or (most_trials and trained >= most_trials):
                break
            trial = study.ask()
            trial_config = _sample(trial, config, fixed)
            _try(study, trial, trial_config, output, min(trial_seconds, left), most_bytes, reporter)
        best = [outcome for outcome in outcomes if outcome.state == "complete"]
        if not best:
            raise ConfigError(
                f"no trial of {len(outcomes)} came to an end; look into {output / TRIALS}, give "
                "more time, or a larger --size-budget."
            )
        with spared(f"{output}: the table of the trials was not written", reporter):
            _write(outcomes, output)
        shutil.rmtree(output / BEST, ignore_errors=True)
        shutil.copytree(best[0].run, output / BEST)
        return outcomes


def _sample(trial: optuna.Trial, config: ClassifierRunConfig, fixed: Set[str]) -> ClassifierRunConfig:
    """The config with the trial's values for what is searched."""
    values = config.to_dict()
    for section, settings in SEARCHED.items():
        for name, choices in settings.items():
            if name in fixed:
                continue
            if name == "learning_rate":
                values[section][name] = trial.suggest_float(name, *choices, log=True)
            else:
                values[section][name] = trial.suggest_categorical(name, choices)
    return ClassifierRunConfig.from_dict(values)


def _try(
    study: optuna.Study,
    trial: optuna.Trial,
    config: ClassifierRunConfig,
    output: Path,
    seconds: float,
    most_bytes: int | None,
    reporter: Reporter,
) -> None:
    """Trains one trial and tells the study."""
    size = model_bytes(config)
    trial.set_user_attr("bytes", size)
    told = ", ".join(f"{name} {shown(value)}" for name, value in trial.params.items())
    if most_bytes is not None:
        trial.set_constraint("size", float(size - most_bytes) / most_bytes)
        if size > most_bytes:
            study.tell(trial, state=TrialState.PRUNED)
            return
    run = output / TRIALS / f"{trial.number:04d}"
    config = dataclasses.replace(
        config,
        training=dataclasses.replace(config.training, time_budget=f"{seconds:.1f}s"),
    )
    run.mkdir(parents=True, exist_ok=True)
    run_folder.begin(run, config)
    command = [sys.executable, "-m", "textrnn", "train", "--overwrite", "--no-test"]
    command += ["--config", str(run / run_folder.CONFIG), "--output", str(run)]
    begin = time.monotonic()
    log = run / "log.txt"
    with log.open("w", encoding="utf-8") as file, reporter.wait(f"trial {trial.number}: {told}"):
        code = _call(command, file)
    trial.set_user_attr("seconds", time.monotonic() - begin)
    try:
        if code:
            raise ValueError
        measured = json.loads((run / run_folder.METRICS).read_text(encoding="utf-8"))["validation"]
        score = float(measured.get("micro_f1", measured["accuracy"]))
    except (OSError, ValueError, KeyError):
        last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
        reporter.message(f"trial {trial.number} failed: {' '.join(last)}")
        study.tell(trial, state=TrialState.FAIL)
        return
    study.tell(trial, score)
    reporter.message(
        f"trial {trial.number}: {score:.4f}, best {study.best_value:.4f} "
        f"(trial {study.best_trial.number})"
    )


def _call(command: list[str], log: Any) -> int:
    """Runs a command to its end; an interruption reaches it first."""
    with subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.terminate()
            process.wait()
            raise


def model_bytes(config: ClassifierRunConfig) -> int:
    """Bytes of the weights in float32, with two classes and the whole `vocab_size`."""
    pieces = config.tokenizer.vocab_size or MOST_PIECES
    model = TextClassifier(pieces, 2, config=config.model)
    model.build((None, None))
    return int(4 * model.count_params())


def shown(value: Any) -> str:
    """A setting's value in few characters."""
    if value is None:
        return "auto"
    return f"{value:.2g}" if isinstance(value, float) else str(value)


def _trial_count(output: Path) -> int:
    return len(list((output / TRIALS).glob("*"))) if (output / TRIALS).is_dir() else 0


def _check_same(output: Path, config: ClassifierRunConfig, fixed: Set[str], most_bytes: int | None) -> None:
    """Writes the settings of the search, or compares them with those that are there."""
    path = output / "search.yaml"
    values = {"config": config.to_dict(), "fixed": sorted(fixed), "most_bytes": most_bytes}
    if path.is_file():
        try:
            known = yaml.safe_load(path.read_text(encoding="utf-8"))
        except yaml.YAMLError:
            known = None
        if known != values:
            raise ConfigError(
                f"{output} holds a search with other settings; choose another --output."
            )
        return
    if any(output.glob("[!.]*")):
        raise ConfigError(f"{output} holds files that are no search's; choose another --output.")
    write_atomically(path, yaml.safe_dump(values, sort_keys=False))


def _begin_again(study: optuna.Study) -> None:
    """Has the trials that an earlier call was stopped in made once more."""
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)
        study.enqueue_trial(trial.params, skip_if_exists=True)


def _outcomes(study: optuna.Study, output: Path) -> list[Outcome]:
    """All trials that have ended, best first."""
    states = {
        TrialState.COMPLETE: "complete",
        TrialState.PRUNED: "too_large",
        TrialState.FAIL: "failed",
    }
    outcomes = [
        Outcome(
            number=trial.number,
            state=states[trial.state],
            score=trial.value,
            size=trial.user_attrs.get("bytes", 0),
            seconds=trial.user_attrs.get("seconds", 0.0),
            settings=dict(trial.params),
            run=output / TRIALS / f"{trial.number:04d}",
        )
        for trial in study.get_trials(deepcopy=False)
        if trial.state in states
    ]
    return sorted(outcomes, key=lambda o: (-(o.score if o.score is not None else -1.0), o.size))


def _write(outcomes: list[Outcome], output: Path) -> None:
    """Writes `trials.csv` and draws `trials.png`."""
    names = list(dict.fromkeys(name for outcome in outcomes for name in outcome.settings))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["trial", "state", "score", "bytes", "seconds", *names])
    for outcome in outcomes:
        values: Mapping[str, Any] = outcome.settings
        row = [outcome.number, outcome.state, outcome.score, outcome.size, outcome.seconds]
        writer.writerow([*row, *(values.get(name) for name in names)])
    write_atomically(output / "trials.csv", text.getvalue())
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    sizes, times = figure.subplots(1, 2)
    done = [outcome for outcome in outcomes if outcome.score is not None]
    for cell in dict.fromkeys(str(o.settings.get("cell", "")) for o in done):
        members = [o for o in done if str(o.settings.get("cell", "")) == cell]
        sizes.scatter([o.size / 1e6 for o in members], [o.score for o in members], label=cell)
    sizes.set(xscale="log", xlabel="size (MB, float32)", ylabel="validation score")
    if any("cell" in o.settings for o in done):
        sizes.legend()
    in_order = sorted(done, key=lambda o: o.number)
    minutes = np.cumsum([o.seconds for o in in_order]) / 60
    scores = np.array([o.score for o in in_order], dtype=float)
    times.plot(minutes, scores, "o", alpha=0.5, label="trial")
    times.step(minutes, np.maximum.accumulate(scores), where="post", label="best so far")
    times.set(xlabel="minutes", ylabel="validation score")
    times.legend()
    for axes in (sizes, times):
        axes.grid(alpha=0.3)
    write_atomically(output / "trials.png", png(figure))
