"""The search for settings: many short trainings, each chosen from the earlier outcomes."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
import yaml
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.errors import ConfigError
from textrnn.host.atomic import write_atomically
from textrnn.inference import run_folder
from textrnn.inference.own_cell import import_cell
from textrnn.models.classifier import TextClassifier
from textrnn.progress import Reporter
from textrnn.text.vocabulary_size import MOST_PIECES
from textrnn.training.run.faults import warn_on_failure
from textrnn.training.run.folder import hold
from textrnn.training.search.child import TrainChild, train_child
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


@dataclass(frozen=True)
class Budget:
    """The limits of a search.

    Attributes:
        seconds: Time for all trials, those of an earlier call included.
        trial_seconds: Time for one trial.
        most_bytes: Size of the largest model, by `Outcome.size`; None: any.
        most_trials: Number of trials that are trained; None: as many as the time allows.
    """

    seconds: float
    trial_seconds: float
    most_bytes: int | None = None
    most_trials: int | None = None


def tune(
    config: ClassifierRunConfig,
    output: Path,
    *,
    fixed: Set[str],
    budget: Budget,
    reporter: Reporter,
    train: TrainChild = train_child,
) -> list[Outcome]:
    """Searches until the budget is used up; continues a search that the folder already holds.

    Each trial trains in its own process and run folder, so that its failure ends no other trial;
    the test data is not read. The sampler is TPE (Bergstra et al. 2011, "Algorithms for
    Hyper-Parameter Optimization"), which treats the size as a constraint.

    Args:
        config: All settings; a trial replaces the searched ones.
        output: The folder of the search.
        fixed: Names of settings that are not searched.
        budget: The limits of time and size.
        reporter: Shows progress.
        train: Trains one run in another process.

    Returns:
        The outcomes, best first. The run of the best one is copied to `best` in the folder.

    Raises:
        ConfigError: The folder contains a search with other settings, or all trials have failed.
    """
    import_cell(config.model)
    with hold(output):
        _check_same(output, _search_settings(config, fixed=fixed, budget=budget))
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(
            study_name="textrnn",
            storage=JournalStorage(JournalFileBackend(str(output / STUDY))),
            load_if_exists=True,
            direction="maximize",
            sampler=optuna.samplers.TPESampler(seed=config.runtime.seed + _trial_count(output)),
        )
        search = _Search(study, output, budget, reporter, train)
        _restart_interrupted(study)
        while search.may_continue():
            trial = study.ask()
            search.run(trial, config.replace(**_sample(trial, fixed)))
        outcomes = search.outcomes()
        best = [outcome for outcome in outcomes if outcome.state == "complete"]
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


def _sample(trial: optuna.Trial, fixed: Set[str]) -> dict[str, Any]:
    """Returns the values of the searched settings that the sampler chooses for a trial."""
    values: dict[str, Any] = {}
    for name, choices in SEARCHED.items():
        if name in fixed:
            continue
        if name == "learning_rate":
            low, high = choices
            values[name] = trial.suggest_float(name, low, high, log=True)
        else:
            values[name] = trial.suggest_categorical(name, choices)
    return values


@dataclass(frozen=True)
class _Search:
    """One search in its folder; see `tune` for the attributes."""

    study: optuna.Study
    output: Path
    budget: Budget
    reporter: Reporter
    train: TrainChild

    def outcomes(self) -> list[Outcome]:
        """Returns the outcomes of all trials that have ended, best first."""
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
                run=self._folder(trial.number),
            )
            for trial in self.study.get_trials(deepcopy=False)
            if trial.state in states
        ]
        return sorted(outcomes, key=lambda o: (-(o.score if o.score is not None else -1.0), o.size))

    def may_continue(self) -> bool:
        """Returns whether the time and the number of trials allow another trial."""
        trained = sum(outcome.state != "too_large" for outcome in self.outcomes())
        if self.budget.most_trials and trained >= self.budget.most_trials:
            return False
        return self._seconds_left() >= min(FEWEST_SECONDS, self.budget.seconds)

    def run(self, trial: optuna.Trial, config: ClassifierRunConfig) -> None:
        """Trains one trial and gives its score to the study."""
        size, most = model_bytes(config), self.budget.most_bytes
        trial.set_user_attr("bytes", size)
        if most is not None:
            trial.set_constraint("size", float(size - most) / most)
            if size > most:
                self.study.tell(trial, state=TrialState.PRUNED)
                return
        folder = self._folder(trial.number)
        log = folder / "log.txt"
        seconds = min(self.budget.trial_seconds, self._seconds_left())
        folder.mkdir(parents=True, exist_ok=True)
        log.write_text("")
        run_folder.begin(folder, config.replace(time_budget=f"{seconds:.1f}s"))
        begin = time.monotonic()
        values = ", ".join(f"{name} {setting_text(value)}" for name, value in trial.params.items())
        with self.reporter.wait(f"trial {trial.number}: {values}"):
            code = self.train(
                folder / run_folder.CONFIG, folder, log=log, options=("--overwrite", "--no-test")
            )
        trial.set_user_attr("seconds", time.monotonic() - begin)
        score = None if code else _score(folder)
        if score is None:
            last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
            self.reporter.message(f"trial {trial.number} failed: {' '.join(last)}")
            self.study.tell(trial, state=TrialState.FAIL)
            return
        self.study.tell(trial, score)
        self.reporter.message(
            f"trial {trial.number}: {score:.4f}, best {self.study.best_value:.4f} "
            f"(trial {self.study.best_trial.number})"
        )

    def _folder(self, number: int) -> Path:
        return self.output / TRIALS / f"{number:04d}"

    def _seconds_left(self) -> float:
        return self.budget.seconds - sum(outcome.seconds for outcome in self.outcomes())


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


def _trial_count(output: Path) -> int:
    return len(list((output / TRIALS).glob("*"))) if (output / TRIALS).is_dir() else 0


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


def _restart_interrupted(study: optuna.Study) -> None:
    """Queues the trials again that were running when an earlier call was stopped."""
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)
        study.enqueue_trial(trial.params, skip_if_exists=True)
