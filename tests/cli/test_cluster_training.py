"""The training that the workers of a cluster get from the command, and what they tell."""

import json
from typing import Any

import click
import pytest

from textrnn.cli.cluster_training import (
    ClusterOptions,
    WorkersOptions,
    run_state,
    show_event,
    training_job,
)
from textrnn.cli.commands.pretrain import pretrain
from textrnn.cli.commands.train import train
from textrnn.cluster.job import RunState
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.errors import ConfigError
from textrnn.inference import run_files
from textrnn.messages.json_lines import JsonReporter
from textrnn.messages.terminal import TerminalReporter


def job_of(command: click.Command, arguments: list[str], home, **environment: str):
    context = command.make_context(str(command.name), list(arguments))
    return training_job(context, folder=home / "run", given="resume", environment=environment)


def test_workers_get_the_command_without_what_is_about_the_cluster(home):
    typed = ["--train-file", "a.csv", "--cluster", "auto", "--workers=2", "--units", "8"]
    typed += ["--worker-cores", "3", "--resume", "--output", "other", "--json", "--no-test"]
    job = job_of(train, typed, home)
    assert job.command == [
        *("train", "--train-file", "a.csv", "--units", "8", "--json", "--no-test"),
        *("--output", str(home / "run"), "--log-format", "json"),
    ]
    assert (job.given, job.home, job.folder) == ("resume", str(home), str(home / "run"))
    assert train.make_context("train", list(job.command[1:])).params["units"] == 8


def test_a_value_that_looks_like_an_option_stays(home):
    job = job_of(train, ["--label-column", "--output", "--overwrite"], home)
    assert job.command[:3] == ["train", "--label-column", "--output"]
    assert "--overwrite" not in job.command


def test_a_language_model_has_one_worker(home):
    typed = ["--text-file", "a.txt", "--log-format", "text", "--cluster", "local", "--overwrite"]
    job = job_of(pretrain, typed, home)
    assert job.command[:3] == ["pretrain", "--text-file", "a.txt"]
    assert job.command[3:] == ["--output", str(home / "run"), "--log-format", "json"]
    with pytest.raises(click.NoSuchOption, match="--workers"):
        pretrain.make_context("pretrain", ["--workers", "2"])


def test_workers_get_the_variables_that_change_a_training(home):
    job = job_of(
        train,
        [],
        home,
        TF_NUM_INTRAOP_THREADS="1",
        TEXTRNN_CACHE_DIR="/cache",
        OMP_NUM_THREADS="2",
        PATH="/bin",
        HOME="/me",
    )
    assert job.environment == {
        "TF_NUM_INTRAOP_THREADS": "1",
        "TEXTRNN_CACHE_DIR": "/cache",
        "OMP_NUM_THREADS": "2",
    }


def test_the_state_of_a_run_folder(home):
    folder = home / "run"
    assert run_state(str(folder)) == RunState()
    run_files.begin(folder, ClassifierRunConfig.of(dataset="imdb"))
    first = run_state(str(folder))
    assert first.settings
    assert (first.updates, first.complete) == (None, False)
    (folder / "checkpoints").mkdir()
    for update in (7, 1234):
        (folder / "checkpoints" / f"update-{update:08d}.npz").touch()
    assert run_state(str(folder)) == RunState(first.settings, updates=1234)
    run_files.begin(folder, ClassifierRunConfig.of(dataset="imdb"))
    assert run_state(str(folder)).settings != first.settings
    run_files.seal(folder, ["config.yaml"])
    assert run_state(str(folder)).complete


EVENTS: list[dict[str, Any]] = [
    {"time": "2026", "event": "message", "text": "reading the data"},
    {
        **{"time": "2026", "event": "progress", "step": "epoch 1/2", "done": 3, "total": 17},
        **{"seconds_left": 28.4, "text": "loss 1.8"},
    },
    {
        **{"time": "2026", "event": "epoch", "epoch": 1, "train_loss": 1.5, "valid_loss": 1.25},
        **{"valid_accuracy": 0.5, "seconds": 4.0, "tokens_per_second": 2000.0},
    },
]


def test_the_chief_is_heard_as_if_it_were_this_process(capsys):
    for event in EVENTS:
        show_event(event, TerminalReporter())
    show_event({"event": "result", "text": "run folder run"}, TerminalReporter())
    printed = capsys.readouterr()
    assert printed.out == "run folder run\n"
    assert printed.err.splitlines() == [
        "reading the data",
        "epoch 1/2 3/17, 28 s left loss 1.8",
        "epoch 1: loss 1.5000, validation loss 1.2500, validation accuracy 0.5000, 4 s at 2,000 "
        "tokens/s",
    ]


def test_events_stay_events_for_a_program(capsys):
    for event in EVENTS:
        show_event(event, JsonReporter())
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line | {"time": "2026"} for line in lines] == EVENTS


def test_without_a_cluster_the_other_options_are_wrong():
    assert not ClusterOptions().check()
    assert not WorkersOptions().check()
    for options in (WorkersOptions(workers=2), ClusterOptions(worker_cores=1)):
        with pytest.raises(click.UsageError, match="need --cluster"):
            options.check()


def test_a_worker_that_was_started_by_hand_has_no_cluster(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", "{}")
    with pytest.raises(ConfigError, match="makes TF_CONFIG for each worker, got one"):
        ClusterOptions("auto").check()
