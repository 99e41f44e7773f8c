import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny import labelled_texts, write_csv

import textrnn as package
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.inference import run_folder
from textrnn.inference.run_files import CONFIG, load_config
from textrnn.training.loop.range_test import RangeTest
from textrnn.training.run.faults import WorkerLost

TINY = (
    *("--cell", "none", "--embedding-units", "4", "--vocab-size", "60", "--batch-texts", "8"),
    *("--learning-rate", "0.1", "--epochs", "1"),
)


@pytest.fixture
def fake(fake_train, finished):
    """A training that comes to the end with the classifier of `finished`."""
    fake_train.act = lambda **_: finished.classifier
    return fake_train


def error_line(result) -> str:
    """The one line that a command in error writes."""
    assert result.stdout == ""
    last = result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr
    return last


@pytest.mark.thorough
def test_a_run_from_a_file(textrnn, data, home):
    test = write_csv(home / "test.csv", labelled_texts(10, seed=1))
    result = textrnn("train", "--train-file", data, "--test-file", test, *TINY)
    lines = result.stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["validation", "accuracy"],
        ["test", "accuracy"],
        ["run", "folder"],
    ]
    assert lines[2] == f"run folder {Path('runs') / 'letters'}"
    assert "10 texts)" in lines[1]
    assert "epoch 1: loss" in result.stderr
    assert re.search(
        r"^training [\d,]+ weights, and those of the n-grams afterwards$", result.stderr, re.M
    )
    assert package.load("runs/letters").labels == ("neg", "pos")


def test_json_is_one_object(textrnn, fake, finished):
    result = textrnn("train", "--output", "out", "--json")
    assert result.stdout.count("\n") == 1
    assert json.loads(result.stdout) == {"run": "out", **finished.classifier.metrics}


def test_the_next_commands_follow_the_results_unless_a_program_reads(textrnn, fake):
    lines = textrnn("train", "--output", "my run").stderr.splitlines()
    assert "next: textrnn predict 'my run' 'a text'" in lines
    for form in (["--json"], ["--log-format", "json"]):
        assert "textrnn predict" not in textrnn("train", "--output", "my run", *form).stderr


def test_a_worker_that_is_not_the_chief_prints_nothing(textrnn, fake):
    fake.act = lambda **_: None
    assert textrnn("train", "--json").stdout == ""


@pytest.mark.skipif(sys.platform != "linux", reason="needs file names of any bytes")
def test_a_name_that_is_no_unicode_is_printed_as_its_bytes(textrnn, fake, finished, home):
    odd = os.fsdecode(b"rev\xff $a_$")
    data = write_csv(home / f"{odd}.csv", labelled_texts(10))
    result = textrnn("train", "--train-file", data.name)
    assert result.stdout_bytes.endswith(b"run folder runs/rev\xff $a_$\n")
    assert json.loads(textrnn("train", "--train-file", data.name, "--json").stdout)["run"] == (
        f"runs/{odd}"
    )
    shutil.copytree(finished.folder, f"runs/{odd}")
    assert textrnn("evaluate", f"runs/{odd}", "--test-file", data.name).stdout
    assert textrnn("predict", f"runs/{odd}", "--file", data.name).stdout


def test_settings_come_from_the_command_line_before_the_file(textrnn, fake, data, home):
    (home / "settings.yaml").write_text(
        "model: {cell: none, units: 5, residual: true}\n"
        "schedule: {epochs: 1}\noptimizer: {learning_rate: 1e-1}\n"
    )
    textrnn(
        *("train", "--config", "settings.yaml", "--train-file", data, "--epochs", "auto"),
        *("--units", 6, "--no-residual"),
    )
    config = fake.config
    assert (config.model.cell, config.model.units, config.model.residual) == ("none", 6, False)
    assert (config.optimizer.learning_rate, config.schedule.epochs) == (0.1, None)
    assert str(fake.folder) == "runs/letters"


def test_a_run_s_own_settings_repeat_it(textrnn, fake, finished):
    textrnn("train", "--config", finished.folder / CONFIG, "--output", "two")
    assert fake.config == load_config(finished.folder / CONFIG)


@pytest.mark.parametrize(
    ("typed", "options"),
    [
        ((), {"resume": False, "resume_or_start": False, "overwrite": False}),
        (("--overwrite",), {"overwrite": True}),
        (("--resume-or-start",), {"resume_or_start": True, "resume": False}),
        ((), {"measure_test": True}),
        (("--no-test",), {"measure_test": False}),
    ],
)
def test_options_reach_the_training(textrnn, fake, typed, options):
    textrnn("train", *typed)
    assert options.items() <= fake.options.items()


def test_a_finished_run_is_only_replaced_on_demand(textrnn, finished, data):
    result = textrnn("train", "--train-file", data, "--output", finished.folder, *TINY, code=1)
    assert error_line(result).startswith(f"textrnn: error: {finished.folder} contains a")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--train-file", "none.csv"], "textrnn: error: none.csv: expected a file, got none"),
        (["--train-file", "letters.csv", "--text-column", "x"], "textrnn: error: letters.csv:1: "),
        (["--units", "0"], "textrnn: error: --units must be at least 1, got 0."),
        (["--config", "none.yaml"], "textrnn: error: none.yaml: expected a file of settings"),
        (["--resume", "--output", "none"], "textrnn: error: none/checkpoints: nothing to resume"),
        (["--train-file", "a", "--dataset", "imdb"], "textrnn: error: give either --dataset"),
        (["--output", "letters.csv"], "textrnn: error: letters.csv: cannot be written to"),
    ],
)
@pytest.mark.usefixtures("data")
def test_an_error_is_one_line_that_says_what_to_do(textrnn, arguments, message):
    assert error_line(textrnn("train", *arguments, code=1)).startswith(message)


def test_resume_and_overwrite_exclude_each_other(textrnn):
    result = textrnn("train", "--resume", "--overwrite", code=2)
    assert "exclude each other" in result.stderr


def test_without_data_it_says_what_it_trains_on(textrnn, fake, data):
    note = "no data was given: training on bbc_news"
    assert note in textrnn("train").stderr
    assert fake.config.data.dataset == "bbc_news"
    assert note not in textrnn("train", "--train-file", data).stderr


def test_a_run_resumes_with_its_own_settings(textrnn, fake, home):
    config = ClassifierRunConfig.of(dataset="imdb", units=7)
    run_folder.begin(home / "run", config)
    textrnn("train", "--resume", "--output", "run")
    assert (fake.config, fake.options["resume"]) == (config, True)
    result = textrnn("train", "--resume", "--output", "run", "--units", 9, code=1)
    assert (
        "a run resumes only with unchanged settings, got --units 9 in place of 7; leave out"
    ) in error_line(result)


def test_a_worker_resumes_without_the_folder_that_the_chief_has(textrnn, fake, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", "{}")
    textrnn("train", "--resume", "--dataset", "imdb", "--output", "elsewhere")
    assert fake.config.data.dataset == "imdb"


# Ctrl-C and lost workers


def press(**_) -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_stops_after_the_batch_and_says_how_to_continue(textrnn, fake_train, home):
    def train(should_stop, **_):
        (home / "run" / "checkpoints").mkdir(parents=True)
        (home / "run" / "checkpoints" / "update-1.npz").touch()
        assert not should_stop()
        press()
        assert should_stop()
        raise KeyboardInterrupt

    fake_train.act = train
    handler = signal.getsignal(signal.SIGINT)
    result = textrnn("train", "--dataset", "imdb", "--output", "run", code=130)
    assert result.stdout == ""
    assert result.stderr == (
        "stopping after this batch; Ctrl-C again stops at once\n"
        "saved; continue with: textrnn train --resume --output run\ntextrnn: interrupted\n"
    )
    assert signal.getsignal(signal.SIGINT) is handler


def test_ctrl_c_before_the_first_update_stops_at_once(textrnn, fake_train):
    fake_train.act = press
    result = textrnn("train", "--dataset", "imdb", code=130)
    assert result.stderr == "textrnn: interrupted\n"


def test_an_unfinished_run_is_not_overwritten_or_used(textrnn, data, home):
    run_folder.begin(home / "run", ClassifierRunConfig())
    (home / "run" / "checkpoints").mkdir()
    (home / "run" / "checkpoints" / "update-1.npz").touch()
    again = textrnn("train", "--train-file", data, "--output", "run", code=1)
    assert "contains an unfinished run; continue with --resume" in error_line(again)
    refused = textrnn("predict", "run", "x", code=1)
    assert "this run is not finished; continue with: textrnn train --res" in error_line(refused)


INTERRUPTED = """
import os, signal
from textrnn.messages.terminal import TerminalReporter
epoch = TerminalReporter.epoch
def press(*arguments):
    epoch(*arguments)
    os.kill(os.getpid(), signal.SIGINT)
TerminalReporter.epoch = press
from textrnn.cli.main import main
main()
"""


@pytest.mark.process
def test_a_process_that_is_interrupted_exits_with_130_and_can_be_resumed(textrnn, data, home):
    arguments = ["train", "--train-file", str(data), *TINY, "--epochs", "3", "--output", "run"]
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.returncode == 130, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert done.stderr.endswith(
        "continue with: textrnn train --resume --output run\ntextrnn: interrupted\n"
    )
    resumed = textrnn("train", "--resume", "--output", "run", "--json")
    assert "resuming after 1 epoch, " in resumed.stderr
    assert json.loads(resumed.stdout)["training"]["epochs"] == 3
    assert package.load("run").predict(["a x"])[0].label in {"neg", "pos"}


class Replaced(Exception):
    """Stands for the end of a process that another program has replaced."""


def test_a_worker_starts_again_when_another_is_lost(textrnn, fake_train, monkeypatch):
    def lose(**_):
        raise WorkerLost("another worker was lost.")

    def replace(*arguments):
        raise Replaced(*arguments)

    monkeypatch.setattr(os, "execv", replace)
    fake_train.act = lose
    assert "another worker was lost" in error_line(textrnn("train", code=75))
    with pytest.raises(Replaced) as raised:
        textrnn("train", "--resume-or-start")
    assert raised.value.args == (sys.executable, [sys.executable, *sys.orig_argv[1:]])
    assert "TF_CPP_MIN_LOG_LEVEL" not in os.environ, "the new process sets it"


# Learning rates, logs, wrong settings


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_range_test_suggests_and_trains_nothing(textrnn, fake_train, monkeypatch, data, form):
    values = np.zeros(3)
    monkeypatch.setattr(
        "textrnn.training.run.classifier.find_learning_rate",
        lambda *_, **__: RangeTest(values, values, values, suggestion=0.012),
    )
    result = textrnn("train", "--train-file", data, "--find-lr", "--output", "run", *form)
    assert fake_train.config is None
    if form:
        assert json.loads(result.stdout) == {"run": "run", "learning_rate": 0.012}
    else:
        assert result.stdout == "suggestion: --learning-rate 1.2e-02\npicture run/find_lr.png\n"


def test_the_log_can_be_json(textrnn, fake_train):
    def train(reporter, **_):
        reporter.message("reading")
        reporter.epoch({"epoch": 1, "train_loss": 0.5})

    fake_train.act = train
    result = textrnn("train", "--log-format", "json", "--dataset", "imdb")
    message, epoch = [json.loads(line) for line in result.stderr.splitlines()]
    assert (message["event"], message["text"]) == ("message", "reading")
    assert (epoch["event"], epoch["train_loss"]) == ("epoch", 0.5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--time-budget", "soon"], "expected a duration such as 90s, 30m or 2h, got 'soon'"),
        (["--time-budget", "0s"], "expected a duration such as 90s, 30m or 2h, got '0s'"),
        (["--epochs", "0"], "--epochs must be at least 1"),
        (["--strategy", "multiworker"], "needs the environment variable TF_CONFIG"),
        (["--time-budget", "1ms"], "the --time-budget of 0 s is used up before training begins"),
    ],
)
def test_a_wrong_setting_of_the_training_is_one_line(textrnn, data, arguments, message):
    result = textrnn("train", "--train-file", data, *TINY, *arguments, code=1)
    assert message in error_line(result)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--folds", "1"], "Invalid value for '--folds'"),
        (["--folds", "3", "--resume"], "--folds excludes --resume and --find-lr"),
        (["--folds", "3", "--find-lr"], "--folds excludes --resume and --find-lr"),
        (["--no-final"], "--no-final needs --folds"),
        (["--worker-cores", "1"], "--worker-cores need --cluster, or --folds"),
    ],
)
def test_folds_that_cannot_be(textrnn, arguments, message):
    assert message in textrnn("train", *arguments, code=2).stderr


def test_folds_stop_before_a_run_of_other_settings(textrnn, data, home, finished):
    shutil.copytree(finished.folder, home / "run")
    result = textrnn(
        "train", "--train-file", data, "--output", "run", "--folds", "3", *TINY, code=1
    )
    assert "run contains a finished run; choose another --output" in error_line(result)
    assert not (home / "run_folds").exists()


@pytest.mark.process
def test_folds_are_measured_before_the_run_is_trained(textrnn, data, home):
    command = ("train", "--train-file", data, "--output", "run", "--folds", "2", *TINY)
    only = textrnn(*command, "--no-final", "--json")
    assert json.loads(only.stdout)["folds"]["texts"] == 40
    assert not (home / "run").exists()
    result = textrnn(*command)
    lines = result.stdout.splitlines()
    assert lines[0] == "2 folds, 40 texts measured"
    assert lines[1].startswith("fold accuracy ")
    assert "mean of the folds" in lines[2]
    assert lines[3] == f"answers of the folds {Path('run_folds') / 'folds.csv'}"
    assert lines[-1] == "run folder run"
    assert result.stderr.count("finished already") == 2
    assert package.load("run").config.data.fold is None


@pytest.mark.parametrize("option", [("--label-column", "team"), ("--encoding", "latin-1")])
def test_options_about_a_file_need_a_file(textrnn, option):
    refused = textrnn("train", *option, code=2)
    assert f"{option[0]} is about a file; name the training data by --train-file" in refused.stderr
