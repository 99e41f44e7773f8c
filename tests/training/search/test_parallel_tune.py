"""Searches whose trials run at the same time: their order of ending changes nothing."""

import json
import random
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from tiny import QUIET, run_config

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.inference import run_folder
from textrnn.inference.history import HISTORY, read_history
from textrnn.training.loop.early_end import behind_message
from textrnn.training.run.history import write_history
from textrnn.training.search.child import Ended, Training, carry_out
from textrnn.training.search.median_stopping import stop_below
from textrnn.training.search.runner import OneByOne
from textrnn.training.search.tune import SEARCHED, Budget, tune

FIXED = SEARCHED.keys() - {"cell", "units", "learning_rate"}


def score(config: Path, run: Path, *, log: Path, options: Sequence[str]) -> int:
    """Stands for the process of a trial, whose score depends on its settings alone."""
    settings = run_folder.load_config(config)
    with log.open("a") as file:
        file.write("trained\n")
    if settings.model.cell == "minlstm":
        return 1
    rate = settings.optimizer.learning_rate
    value = settings.model.units / 512 + 0.3 * (settings.model.cell == "gru") - rate
    history = []
    for share in (0.25, 0.5, 0.75, 1.0):
        history.append({"valid_score": share * value, "progress": share})
        if behind_message(history, settings.schedule):
            break
    write_history(run / HISTORY, history)
    (run / "metrics.json").write_text(json.dumps({"validation": {"accuracy": value}}))
    return 0


class Cluster:
    """Stands for a cluster: trainings end in any order, and the command may be killed.

    Args:
        parallel: The number of trainings at the same time.
        seed: The seed of the order.
        kill_after: The number of ends after which the command is killed; the training that has
            just ended is lost to the command, but its record is there.
        kill_at: The number of trainings after which the command is killed before it starts one.
    """

    def __init__(
        self, parallel: int, *, seed: int = 0, kill_after: int = -1, kill_at: int = -1
    ) -> None:
        self.parallel, self._left, self._starts_left = parallel, kill_after, kill_at
        self._rng = random.Random(seed)
        self._running: dict[str, Training] = {}
        self.most = 0

    def start(self, name: str, training: Training) -> None:
        assert name not in self._running
        if self._starts_left == 0:
            raise KeyboardInterrupt
        self._starts_left -= 1
        self._running[name] = training
        self.most = max(self.most, len(self._running))

    def next(self) -> tuple[str, Ended]:
        name = self._rng.choice(sorted(self._running))
        ended = carry_out(self._running.pop(name), score)
        if self._left == 0:
            raise KeyboardInterrupt
        self._left -= 1
        return name, ended


def size(config: ClassifierRunConfig) -> int:
    """Stands for the bytes of a model, without building it."""
    return config.model.units * len(config.model.cell)


@pytest.fixture(autouse=True)
def quick(monkeypatch) -> None:
    """Spares the picture and the models."""
    monkeypatch.setattr("textrnn.training.search.trials.png", lambda *_: b"")
    monkeypatch.setattr("textrnn.training.search.tune.model_bytes", size)


@pytest.fixture
def config(tmp_path):
    return run_config(tmp_path / "letters.csv")


def search(config, output, runner, *, parallel=None, most_trials=14, **limits):
    budget = Budget(3600.0, None, most_trials=most_trials, **limits)
    outcomes = tune(
        config,
        output,
        fixed=FIXED,
        budget=budget,
        reporter=QUIET,
        runner=runner,
        parallel=parallel,
    )
    logs = [(outcome.run / "log.txt").read_text() for outcome in outcomes if outcome.run.is_dir()]
    assert set(logs) <= {"trained\n"}, "a trial was trained twice"
    return [(o.number, o.state, o.score, o.settings) for o in outcomes]


def test_one_at_a_time_is_the_single_process(config, tmp_path):
    single = search(config, tmp_path / "single", OneByOne(score), most_trials=3)
    assert search(config, tmp_path / "one", Cluster(1), most_trials=3) == single


@pytest.mark.thorough
@pytest.mark.parametrize("parallel", [2, 3])
def test_the_order_of_ending_changes_nothing(config, tmp_path, parallel):
    clusters = [Cluster(parallel, seed=seed) for seed in range(3)]
    found = [search(config, tmp_path / str(i), c) for i, c in enumerate(clusters)]
    assert found[0] == found[1] == found[2]
    assert {cluster.most for cluster in clusters} == {parallel}
    alone = search(config, tmp_path / "alone", OneByOne(score), parallel=parallel)
    assert alone == found[0]
    single = search(config, tmp_path / "single", OneByOne(score))
    assert single != alone
    assert len(single) == len(alone) == 14
    assert "stopped" in {state for _, state, _, _ in alone}


@pytest.mark.thorough
def test_a_trial_below_the_median_of_the_trials_that_it_knows_ends_early(config, tmp_path):
    found = search(config, tmp_path / "search", Cluster(3, seed=4))
    curves = {
        number: read_history(tmp_path / f"search/trials/{number:04d}") for number in range(14)
    }
    for number, state, _, _ in found:
        known = [curves[earlier] for earlier in range(number - 2) if curves[earlier]]
        settings = run_folder.load_config(tmp_path / f"search/trials/{number:04d}/config.yaml")
        assert settings.schedule.stop_below == stop_below(known)
        assert (state == "stopped") == (0 < len(curves[number]) < 4)


def test_a_search_goes_on_without_the_folder_of_a_trial(config, tmp_path):
    first = search(config, tmp_path / "search", Cluster(1), most_trials=3)
    worst = first[-1][0]
    shutil.rmtree(tmp_path / "search" / "trials" / f"{worst:04d}")
    assert len(search(config, tmp_path / "search", Cluster(1), most_trials=4)) == 4


def test_no_trial_is_stopped_without_the_rule(config, tmp_path):
    found = search(config, tmp_path / "search", Cluster(2), median_stopping=False, most_trials=9)
    assert {state for _, state, _, _ in found} <= {"complete", "failed"}


@pytest.mark.thorough
def test_trials_of_too_large_models_end_in_order_too(config, tmp_path):
    sizes = sorted(
        size(config.replace(cell=cell, units=units))
        for cell in SEARCHED["cell"]
        for units in SEARCHED["units"]
    )
    most = sizes[len(sizes) // 2]
    found = [
        search(config, tmp_path / str(seed), Cluster(2, seed=seed), most_trials=8, most_bytes=most)
        for seed in range(3)
    ]
    assert found[0] == found[1] == found[2]
    assert {state for _, state, _, _ in found[0]} >= {"complete", "too_large"}


@pytest.mark.thorough
@pytest.mark.parametrize(
    "kill",
    [{"kill_after": 0}, {"kill_after": 5}, {"kill_after": 12}, {"kill_at": 0}, {"kill_at": 7}],
)
def test_a_killed_command_continues_as_if_nothing_were(config, tmp_path, kill):
    whole = search(config, tmp_path / "whole", Cluster(3))
    killed = Cluster(3, seed=1, **kill)
    with pytest.raises(KeyboardInterrupt):
        search(config, tmp_path / "killed", killed)
    # The number of trials at the same time is that of the search, whatever the cluster is now.
    assert search(config, tmp_path / "killed", Cluster(5, seed=2)) == whole


@pytest.mark.thorough
def test_a_search_may_go_on_with_another_number_of_trials_at_the_same_time(config, tmp_path):
    first = search(config, tmp_path / "search", Cluster(2), most_trials=4)
    wider = Cluster(4)
    second = search(config, tmp_path / "search", wider, parallel=4, most_trials=8)
    assert wider.most == 4
    assert len(second) == 8
    assert [row for row in second if row[0] < 4] == first
