import csv
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from tiny import QUIET, labelled_texts, run_config, write_csv

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.errors import ConfigError
from textrnn.inference import run_folder
from textrnn.messages.terminal import TerminalReporter
from textrnn.training.search.runner import OneByOne
from textrnn.training.search.tune import SEARCHED, Budget, model_bytes, tune

FIXED = SEARCHED.keys() - {"cell", "units"}


class Trials:
    """Stands for the processes of the trials: GRUs of many units are best; minLSTMs fail."""

    def __init__(self) -> None:
        self.configs: list[ClassifierRunConfig] = []
        self.interrupt_at = -1

    def __call__(self, config: Path, run: Path, *, log: Path, options: Sequence[str]) -> int:
        assert "--no-test" in options
        settings = run_folder.load_config(config)
        if len(self.configs) == self.interrupt_at:
            self.interrupt_at = -1
            raise KeyboardInterrupt
        self.configs.append(settings)
        if settings.model.cell == "minlstm":
            log.write_text("textrnn: error: no\n")
            return 1
        score = settings.model.units / 512 + 0.3 * (settings.model.cell == "gru")
        (run / "metrics.json").write_text(json.dumps({"validation": {"accuracy": score}}))
        return 0


@pytest.fixture
def trials() -> Trials:
    return Trials()


@pytest.fixture
def config(tmp_path) -> ClassifierRunConfig:
    return run_config(tmp_path / "letters.csv")


@pytest.fixture
def no_picture(monkeypatch) -> None:
    """Spares the picture, which takes longer than such a search; the first test has it."""
    monkeypatch.setattr("textrnn.training.search.trials.png", lambda *_: b"")


def search(config, output, trials, *, fixed=FIXED, reporter=QUIET, **limits):
    defaults = {"seconds": 3600.0, "trial_seconds": 60.0, "most_trials": 12}
    budget = Budget(**{**defaults, **limits})
    return tune(
        config, output, fixed=fixed, budget=budget, reporter=reporter, runner=OneByOne(trials)
    )


def settings_of(outcomes):
    """What a search has tried, and how it ended."""
    return [(o.number, o.state, o.score, o.settings) for o in outcomes]


@pytest.mark.thorough
def test_the_best_settings_are_found_and_kept(config, trials, tmp_path):
    outcomes = search(config, tmp_path / "tune", trials)
    assert len(outcomes) == len(trials.configs) == 12
    scores = [outcome.score for outcome in outcomes if outcome.score is not None]
    assert scores == sorted(scores, reverse=True)
    assert {outcome.state for outcome in outcomes} == {"complete", "failed"}
    best = run_folder.load_config(tmp_path / "tune" / "best" / "config.yaml")
    assert best.model.units == outcomes[0].settings["units"]
    assert best.model.cell == outcomes[0].settings["cell"]
    rows = list(csv.DictReader((tmp_path / "tune" / "trials.csv").read_text().splitlines()))
    assert [int(row["trial"]) for row in rows] == [outcome.number for outcome in outcomes]
    assert rows[0]["cell"] == best.model.cell
    assert (tmp_path / "tune" / "trials.png").read_bytes().startswith(b"\x89PNG")


def test_a_picture_that_fails_loses_no_search(config, trials, tmp_path, monkeypatch, capsys):
    def fail(*_):
        raise ValueError("no")

    monkeypatch.setattr("textrnn.training.search.trials.png", fail)
    search(config, tmp_path / "tune", trials, most_trials=2, reporter=TerminalReporter())
    assert (tmp_path / "tune" / "best").is_dir()
    assert "warning: " in capsys.readouterr().err


@pytest.mark.usefixtures("no_picture")
def test_what_is_given_is_not_searched(config, trials, tmp_path):
    search(config, tmp_path / "tune", trials, most_trials=4)
    for tried in trials.configs:
        assert tried.model.head == config.model.head
        assert tried.optimizer.learning_rate == config.optimizer.learning_rate
        assert tried.schedule.time_budget == "60.0s"
    assert len({tried.model.units for tried in trials.configs}) > 1


@pytest.mark.thorough
@pytest.mark.usefixtures("no_picture")
def test_models_that_are_too_large_are_not_trained(config, trials, tmp_path):
    sizes = {model_bytes(c) for c in _all_sizes(config)}
    most = sorted(sizes)[len(sizes) // 2]
    outcomes = search(config, tmp_path / "tune", trials, most_bytes=most, most_trials=8)
    assert len(trials.configs) == 8
    assert all(model_bytes(tried) <= most for tried in trials.configs)
    left_out = [outcome for outcome in outcomes if outcome.state == "too_large"]
    assert all(outcome.size > most and outcome.score is None for outcome in left_out)
    assert left_out


def _all_sizes(config):
    for cell in SEARCHED["cell"]:
        for units in SEARCHED["units"]:
            yield config.replace(cell=cell, units=units)


@pytest.mark.usefixtures("no_picture")
def test_an_interrupted_search_continues(config, trials, tmp_path):
    trials.interrupt_at = 3
    with pytest.raises(KeyboardInterrupt):
        search(config, tmp_path / "tune", trials, most_trials=6)
    assert len(trials.configs) == 3
    outcomes = search(config, tmp_path / "tune", trials, most_trials=8)
    assert [outcome.number for outcome in sorted(outcomes, key=lambda o: o.number)] == [*range(8)]
    assert len(trials.configs) == 8
    assert len(search(config, tmp_path / "tune", trials, most_trials=9)) == 9
    whole = search(config, tmp_path / "whole", Trials(), most_trials=9)
    assert len(trials.configs) == 9
    assert settings_of(search(config, tmp_path / "tune", trials, most_trials=9)) == settings_of(
        whole
    )


@pytest.mark.usefixtures("no_picture")
def test_a_search_of_other_settings_is_not_resumed(config, trials, tmp_path):
    search(config, tmp_path / "tune", trials, most_trials=3)
    with pytest.raises(ConfigError, match="contains a search with other settings; choose another"):
        search(config, tmp_path / "tune", trials, most_bytes=1000)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "mine.txt").touch()
    with pytest.raises(ConfigError, match="home contains files that belong to no search"):
        search(config, tmp_path / "home", trials)


@pytest.mark.usefixtures("no_picture")
def test_the_time_is_kept(config, trials, tmp_path, monkeypatch):
    clock = iter(range(0, 10**9, 50))
    monkeypatch.setattr("time.monotonic", lambda: float(next(clock)))
    outcomes = search(config, tmp_path / "tune", trials, seconds=170.0, most_trials=None)
    assert [tried.schedule.time_budget for tried in trials.configs] == [
        "60.0s",
        "60.0s",
        "60.0s",
        "20.0s",
    ]
    assert sum(outcome.seconds for outcome in outcomes) == 200.0


def test_where_all_trials_fail_it_says_so(config, trials, tmp_path):
    config = config.replace(cell="minlstm")
    with pytest.raises(
        ConfigError, match=r"none of 2 trials was completed; read the logs in .*trials"
    ):
        search(config, tmp_path / "tune", trials, fixed=FIXED | {"cell"}, most_trials=2)


@pytest.mark.slow
def test_the_command_searches_with_real_trainings(tmp_path):
    data = write_csv(tmp_path / "letters.csv", labelled_texts(200))
    command = [sys.executable, "-m", "textrnn", "tune", "--train-file", str(data), "--trials", "2"]
    command += ["--units", "8", "--embedding-units", "8", "--vocab-size", "60", "--json"]
    command += ["--time-budget", "3m", "--trial-budget", "30s", "--output", str(tmp_path / "tune")]
    output = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    assert [trial["state"] for trial in output["trials"]] == ["complete"] * 2
    for trial in output["trials"]:
        assert trial["seconds"] < 45
    assert run_folder.load(output["best"]).predict(["a x b"])[0].label in ("neg", "pos")
    assert yaml.safe_load((tmp_path / "tune" / "search.yaml").read_text())["fixed"]


def test_an_automatic_vocabulary_is_searched_and_has_the_size_of_the_largest(
    config, trials, tmp_path
):
    def bytes_of(size: int | None) -> int:
        return model_bytes(config.replace(vocab_size=size))

    assert bytes_of(None) == bytes_of(16_000) > bytes_of(8_000)
    fixed = (FIXED | {"cell", "units"}) - {"vocab_size"}
    outcomes = search(config, tmp_path / "out", trials, fixed=fixed, most_trials=12)
    assert None in {outcome.settings["vocab_size"] for outcome in outcomes}
