import json

import pytest

from textrnn.training.search.placement import ClusterRunner
from textrnn.training.search.runner import OneByOne
from textrnn.training.search.trials import Outcome
from textrnn.training.search.tune import Budget


class FakeSearch:
    """Stands for the search: remembers its arguments and returns two outcomes."""

    def __call__(self, config, output, *, fixed, budget, reporter, runner, parallel):
        self.config, self.output, self.fixed, self.budget = config, output, fixed, budget
        self.runner, self.parallel = runner, parallel
        best = {"cell": "gru", "vocab_size": None}
        return [
            Outcome(1, "complete", 0.75, 2_000_000, 12.0, best, output / "trials" / "1"),
            Outcome(0, "failed", None, 1_000_000, 1.0, {"cell": "lstm"}, output / "trials" / "0"),
        ]


@pytest.fixture
def search(monkeypatch):
    fake = FakeSearch()
    monkeypatch.setattr("textrnn.training.search.tune.tune", fake)
    return fake


def test_settings_that_are_given_are_not_searched(textrnn, search, data):
    textrnn("tune", "--train-file", data, "--cell", "gru", "--output", "search")
    assert search.fixed == {"train_file", "cell"}
    assert (search.config.model.cell, search.config.data.train_file) == ("gru", str(data))
    assert str(search.output) == "search"


@pytest.mark.parametrize(
    ("arguments", "budget"),
    [
        ([], Budget(seconds=1800.0, trial_seconds=180.0)),
        (["--time-budget", "1m"], Budget(seconds=60.0, trial_seconds=6.0)),
        (
            ["--time-budget", "1h", "--trial-budget", "90s", "--size-budget", "2MB", "--trials", 5],
            Budget(seconds=3600.0, trial_seconds=90.0, most_bytes=2_000_000, most_trials=5),
        ),
        (["--trial-budget", "off"], Budget(seconds=1800.0, trial_seconds=None)),
    ],
)
def test_the_budget_is_that_of_the_options(textrnn, search, data, arguments, budget):
    textrnn("tune", "--train-file", data, *arguments)
    assert search.budget == budget
    assert search.config.schedule.time_budget is None, "a trial has its own"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--size-budget", "small"], "expected a size such as 2MB, got 'small'"),
        (["--trial-budget", "soon"], "expected a duration such as 90s, 30m or 2h, got 'soon'"),
    ],
)
def test_a_wrong_budget_is_one_line(textrnn, data, arguments, message):
    result = textrnn("tune", "--train-file", data, *arguments, code=1)
    assert message in result.stderr.splitlines()[-1]


def test_the_table_has_the_trials_that_were_trained(textrnn, search, data):
    lines = textrnn("tune", "--train-file", data).stdout.splitlines()
    (row,) = (line for line in lines if "0.7500" in line)
    assert "2.00" in row
    assert "cell gru" in row
    assert lines[-2:] == [
        "1 trial trained of 2; table runs/tune/trials.csv",
        "best run runs/tune/best",
    ]


def test_json_has_every_trial(textrnn, search, data):
    printed = json.loads(textrnn("tune", "--train-file", data, "--json").stdout)
    assert printed["best"] == "runs/tune/best"
    assert [trial["state"] for trial in printed["trials"]] == ["complete", "failed"]
    assert printed["trials"][0]["settings"] == {"cell": "gru", "vocab_size": None}


def test_a_language_model_fixes_its_settings(textrnn, search, data, pretrained):
    textrnn("tune", "--train-file", data, "--init-from", pretrained.folder)
    assert {"cell", "units", "vocab_size"} <= search.fixed
    assert search.config.model.units == 3


def test_a_missing_package_is_named(textrnn, search, data, monkeypatch):
    monkeypatch.setattr("textrnn.cli.commands.tune.find_spec", lambda _: None)
    result = textrnn("tune", "--train-file", data, code=1)
    assert "needs the package optuna" in result.stderr
    assert "pip install 'textrnn[tune]'" in result.stderr
    assert not hasattr(search, "config")


def test_the_trials_are_carried_out_where_the_options_say(textrnn, search, data, monkeypatch):
    monkeypatch.setattr("textrnn.training.search.placement.check_installed", lambda: None)
    textrnn("tune", "--train-file", data)
    assert isinstance(search.runner, OneByOne)
    assert search.parallel is None
    textrnn("tune", "--train-file", data, "--cluster", "local", "--workers", 3)
    assert isinstance(search.runner, ClusterRunner)
    assert search.parallel == 3
    result = textrnn("tune", "--train-file", data, "--cluster", "here", code=1)
    assert "--cluster must be auto, local or ray://HOST:PORT, got 'here'" in result.stderr
