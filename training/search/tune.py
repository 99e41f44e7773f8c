"""The search for settings: many short trainings, each chosen from the earlier outcomes."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.trial import FrozenTrial, TrialState

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.errors import ConfigError
from textrnn.host.atomic import write_atomically
from textrnn.inference import run_folder
from textrnn.inference.history import read_history
from textrnn.inference.own_cell import import_cell
from textrnn.messages.wording import counted
from textrnn.models.classifier import TextClassifier
from textrnn.progress import Reporter
from textrnn.text.vocabulary_size import MOST_PIECES
from textrnn.training.run.faults import warn_on_failure
from textrnn.training.run.folder import hold
from textrnn.training.search.child import Ended, Training, read_record
from textrnn.training.search.journal import Journal
from textrnn.training.search.median_stopping import has_stopped, stop_below
from textrnn.training.search.runner import OneByOne, Runner
from textrnn.training.search.trials import Outcome, write_trials

__all__ = ["SEARCHED", "Budget", "Outcome", "setting_text", "tune"]

SEARCHED: dict[str, tuple[Any, ...]] = {
    "cell": ("mingru", "minlstm", "gru", "lstm", "none"),
    "head": ("attention", "mean", "max", "last"),
    "units": (32, 64, 128, 256),
    "embedding_units": (16, 32, 64, 128, 256),
    "bidirectional": (True, False),
    "window": (1, 2, 3),
    "embedding_dropout": (0.0, 0.25, 0.5, 0.7),
    "dropout": (0.0, 0.25, 0.5, 0.7),
    "word_dropout": (0.0, 0.1, 0.2, 0.3),
    "vocab_size": (None, 1000, 2000, 4000, 8000, 16000, 32000),
    "learning_rate": (3e-4, 3e-2),
}
"""The searched settings with their values; the learning rate with its bounds."""

STUDY = "study.log"
TRIALS = "trials"
BEST = "best"
FEWEST_SECONDS = 20.0
"""The search ends when less time than this is left."""

_STATES = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "too_large",
    TrialState.FAIL: "failed",
}


@dataclass(frozen=True)
class Budget:
    """The limits of a search.

    Attributes:
        seconds: Time for all trials, those of an earlier call included.
        trial_seconds: Time for one trial; None: as long as its epochs take.
        most_bytes: Size of the largest model, by `Outcome.size`; None: any.
        most_trials: Number of trials that are trained; None: as many as the time allows.
        median_stopping: Whether a trial ends early if it is worse than half of the earlier ones;
            see `stop_below`.
    """

    seconds: float
    trial_seconds: float | None
    most_bytes: int | None = None
    most_trials: int | None = None
    median_stopping: bool = True


def tune(
    config: ClassifierRunConfig,
    output: Path,
    *,
    fixed: Set[str],
    budget: Budget,
    reporter: Reporter,
    runner: Runner | None = None,
    parallel: int | None = None,
) -> list[Outcome]:
    """Searches until the budget is used up; continues a search that the folder already holds.

    Each trial trains in its own process and run folder, so that its failure ends no other trial;
    the test data is not read. `Journal` says how trials are chosen. Trials that were interrupted
    continue from their last checkpoints.

    Args:
        config: All settings; a trial replaces the searched ones.
        output: The folder of the search.
        fixed: Names of settings that are not searched.
        budget: The limits of time and size.
        reporter: Shows progress.
        runner: Carries out the trainings; None: one after the other.
        parallel: The number of trials that are chosen before the first of them ends; None: as many
            as `runner` carries out, or as the search had when it began.

    Returns:
        The outcomes, best first. The run of the best one is copied to `best` in the folder.

    Raises:
        ConfigError: The folder contains a search with other settings, or all trials have failed.
    """
    import_cell(config.model)
    runner = runner or OneByOne()
    with hold(output):
        _check_same(output, _search_settings(config, fixed=fixed, budget=budget))
        space = {name: kind for name, kind in _space().items() if name not in fixed}
        journal = Journal(output / STUDY, space=space, seed=config.runtime.seed)
        parallel = journal.parallel(parallel, default=runner.parallel)
        search = _Search(config, journal, output, budget, reporter, runner, parallel)
        search.run()
        outcomes = search.outcomes()
        best = [outcome for outcome in outcomes if outcome.score is not None]
        if not best:
            raise ConfigError(
                f"none of {len(outcomes)} trials was completed; read the logs in "
                f"{output / TRIALS}, give more time, or allow larger models."
            )
        with warn_on_failure(f"{output}: the table of the trials was not written", reporter):
            write_trials(outcomes, output)
        shutil.rmtree(output / BEST, ignore_errors=True)
        shutil.copytree(best[0].run, output / BEST)
        return outcomes


def _space() -> dict[str, BaseDistribution]:
    """Returns the values of each searched setting, as the sampler takes them."""
    return {
        name: FloatDistribution(*choices, log=True)
        if name == "learning_rate"
        else CategoricalDistribution(choices)
        for name, choices in SEARCHED.items()
    }


@dataclass
class _Search:
    """One search in its folder; see `tune` for the attributes."""

    config: ClassifierRunConfig
    journal: Journal
    output: Path
    budget: Budget
    reporter: Reporter
    runner: Runner
    parallel: int
    begun: dict[int, float] = field(default_factory=dict)
    """When each trial that has not ended was begun, by `time.monotonic`."""
    stopped: dict[int, bool] = field(default_factory=dict)
    """Whether each trial that has ended was stopped by the median stopping rule."""

    def run(self) -> None:
        """Carries out trials until the budget is used up."""
        for number in self.journal.running():
            self._start(number)
        while True:
            while self._may_choose():
                self._choose()
            if not self.begun:
                return
            with self.reporter.wait(self._waiting()):
                name, ended = self.runner.next()
            self._end(int(name), ended)

    def outcomes(self) -> list[Outcome]:
        """Returns the outcomes of all trials that have ended, best first."""
        outcomes = [
            Outcome(
                number=trial.number,
                state=self._state(trial),
                score=trial.value,
                size=trial.user_attrs.get("bytes", 0),
                seconds=self._seconds(trial),
                settings=dict(trial.params),
                run=self._folder(trial.number),
            )
            for trial in self.journal.trials
            if trial.state in _STATES
        ]
        return sorted(outcomes, key=lambda o: (-(o.score if o.score is not None else -1.0), o.size))

    def _state(self, trial: FrozenTrial) -> str:
        """Returns how a trial has ended, as `Outcome.state` says it."""
        if trial.state != TrialState.COMPLETE:
            return _STATES[trial.state]
        if trial.number not in self.stopped:
            self.stopped[trial.number] = has_stopped(self._folder(trial.number))
        return "stopped" if self.stopped[trial.number] else "complete"

    def _may_choose(self) -> bool:
        """Returns whether another trial may be chosen now."""
        if len(self.begun) >= self.parallel or not self.journal.may_choose(parallel=self.parallel):
            return False
        trained = sum(trial.state != TrialState.PRUNED for trial in self.journal.trials)
        if self.budget.most_trials and trained >= self.budget.most_trials:
            return False
        return self._seconds_left() >= min(FEWEST_SECONDS, self.budget.seconds)

    def _choose(self) -> None:
        """Chooses a trial, and begins it unless its model is too large."""
        values = self.journal.choose(parallel=self.parallel)
        size = model_bytes(self.config.replace(**values))
        number = self.journal.add(values, size=size, most=self.budget.most_bytes)
        if number is not None:
            self._start(number)

    def _start(self, number: int) -> None:
        """Begins a trial, or continues it."""
        folder = self._folder(number)
        settings, log = folder / run_folder.CONFIG, folder / "log.txt"
        if not settings.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            log.write_text("")
            run_folder.begin(
                folder, self.config.replace(**self._values(number), **self._limits(number))
            )
        if self.parallel > 1:
            self.reporter.message(self._described(number))
        self.begun[number] = time.monotonic()
        options = ("--resume-or-start", "--no-test")
        record = self._record(number)
        self.runner.start(str(number), Training(settings, folder, log, options, record))

    def _limits(self, number: int) -> dict[str, str | None]:
        """Returns the settings that limit the training of a trial that begins now."""
        limits: dict[str, str | None] = {"time_budget": None}
        if self.budget.trial_seconds is not None:
            seconds = min(self.budget.trial_seconds, self._seconds_left())
            limits["time_budget"] = f"{seconds:.1f}s"
        if self.budget.median_stopping:
            known = self.journal.known(number, parallel=self.parallel)
            trained = [trial.number for trial in known if trial.state == TrialState.COMPLETE]
            if scores := stop_below(read_history(self._folder(other)) for other in trained):
                limits["stop_below"] = scores
        return limits

    def _end(self, number: int, ended: Ended) -> None:
        """Records the score of a trial."""
        del self.begun[number]
        folder = self._folder(number)
        score = None if ended.code else _score(folder)
        self.journal.end(number, score)
        if score is None:
            log = (folder / "log.txt").read_text(encoding="utf-8", errors="replace")
            last = log.strip().splitlines()[-1:]
            self.reporter.message(f"trial {number} failed: {' '.join(last)}")
            return
        best = self.outcomes()[0]
        early = ", stopped early" if self.stopped[number] else ""
        self.reporter.message(
            f"trial {number}: {score:.4f}{early}, best {best.score:.4f} (trial {best.number})"
        )

    def _waiting(self) -> str:
        """Returns what the search waits for."""
        numbers = sorted(self.begun)
        if self.parallel == 1 and len(numbers) == 1:
            return self._described(numbers[0])
        return f"{counted(len(numbers), 'trial')} ({', '.join(map(str, numbers))})"

    def _described(self, number: int) -> str:
        values = self._values(number).items()
        described = ", ".join(f"{name} {setting_text(value)}" for name, value in values)
        return f"trial {number}: {described}"

    def _values(self, number: int) -> dict[str, Any]:
        values: dict[str, Any] = self.journal.trials[number].params
        return values

    def _folder(self, number: int) -> Path:
        return self.output / TRIALS / f"{number:04d}"

    def _record(self, number: int) -> Path:
        return self.output / TRIALS / f"{number:04d}.json"

    def _seconds(self, trial: FrozenTrial) -> float:
        """Returns the wall time of a trial that has ended."""
        ended = read_record(self._record(trial.number))
        # A search of an earlier version has no records.
        return trial.user_attrs.get("seconds", 0.0) if ended is None else ended.seconds

    def _seconds_left(self) -> float:
        """Returns the time that is left for all trials, of which some run at the same time."""
        used = sum(outcome.seconds for outcome in self.outcomes())
        used += sum(time.monotonic() - begin for begin in self.begun.values())
        return self.budget.seconds - used / min(self.parallel, self.runner.parallel)


def _score(folder: Path) -> float | None:
    """Returns the validation score of a trained run; None if it has no metrics."""
    try:
        metrics = json.loads((folder / run_folder.METRICS).read_text(encoding="utf-8"))
        measured = metrics["validation"]
        return float(measured.get("micro_f1", measured["accuracy"]))
    except (OSError, ValueError, KeyError):
        return None


def model_bytes(config: ClassifierRunConfig) -> int:
    """Returns the bytes of the weights in float32, with two classes and a full vocabulary."""
    pieces = config.tokenizer.vocab_size or MOST_PIECES
    model = TextClassifier(pieces, 2, config=config.model)
    model.build((None, None))
    return int(4 * model.count_params())


def setting_text(value: Any) -> str:
    """Returns the value of a setting in few characters."""
    if value is None:
        return "auto"
    return f"{value:.2g}" if isinstance(value, float) else str(value)


def _search_settings(
    config: ClassifierRunConfig, *, fixed: Set[str], budget: Budget
) -> dict[str, Any]:
    """Returns all settings that a continued search must not change."""
    return {
        "config": config.to_dict(),
        "fixed": sorted(fixed),
        "most_bytes": budget.most_bytes,
    }


def _check_same(output: Path, values: dict[str, Any]) -> None:
    """Writes the settings of the search, or compares them with those in the folder."""
    path = output / "search.yaml"
    if path.is_file():
        try:
            written = yaml.safe_load(path.read_text(encoding="utf-8"))
        except yaml.YAMLError:
            written = None
        if written != values:
            raise ConfigError(
                f"{output} contains a search with other settings; choose another `output`."
            )
        return
    if any(output.glob("[!.]*")):
        raise ConfigError(
            f"{output} contains files that belong to no search; choose another `output`."
        )
    write_atomically(path, yaml.safe_dump(values, sort_keys=False))
