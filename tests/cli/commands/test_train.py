import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tiny import labelled_texts, write_csv

import textrnn as package
from textrnn.training.loop.checkpoints import CHECKPOINTS
from textrnn.training.run import classifier as running

TINY = (
    *("--cell", "none", "--embedding-units", "4", "--vocab-size", "60", "--batch-texts", "8"),
    *("--learning-rate", "0.1", "--epochs", "1"),
)


def config_of(run: Path) -> dict:
    values = yaml.safe_load((run / "config.yaml").read_text())
    del values["about"]
    return values


def error_line(result) -> str:
    """The one line that a command in error writes."""
    assert result.stdout == ""
    last = result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr
    return last


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
    assert package.load("runs/letters").labels == ("neg", "pos")


def test_json_is_one_object(textrnn, data):
    result = textrnn("train", "--train-file", data, "--output", "out", "--json", *TINY)
    figures = json.loads(result.stdout)
    assert result.stdout.count("\n") == 1
    assert figures["run"] == "out"
    assert figures["training"]["epochs"] == 1
    assert set(figures["validation"]["per_class"]) == {"neg", "pos"}


@pytest.mark.skipif(sys.platform != "linux", reason="needs file names of any bytes")
def test_a_name_that_is_no_unicode_is_printed_as_its_bytes(textrnn, home):
    odd = os.fsdecode(b"rev\xff $a_$")
    write_csv(home / f"{odd}.csv", labelled_texts(40))
    result = textrnn("train", "--train-file", f"{odd}.csv", *TINY)
    assert result.stdout_bytes.endswith(b"run folder runs/rev\xff $a_$\n")
    for command in (["evaluate", f"runs/{odd}"], ["predict", f"runs/{odd}", "--file"]):
        extra = ["--split", "validation"] if command[0] == "evaluate" else [f"{odd}.csv"]
        assert textrnn(*command, *extra).stdout
    found = json.loads(
        textrnn(
            "train",
            "--resume-or-start",
            "--json",
            "--output",
            f"runs/{odd}",
            "--train-file",
            f"{odd}.csv",
            *TINY,
        ).stdout
    )
    assert found["run"] == f"runs/{odd}"


def test_settings_come_from_the_command_line_before_the_file(textrnn, data, home):
    (home / "settings.yaml").write_text(
        "model: {cell: none, units: 5, residual: true}\n"
        "training: {epochs: 1, learning_rate: 1e-1}\n"
    )
    textrnn(
        *("train", "--config", "settings.yaml", "--train-file", data, "--output", "run"),
        *("--units", 6, "--no-residual", "--vocab-size", 60, "--embedding-units", 4),
    )
    values = config_of(home / "run")
    assert values["model"]["units"] == 6
    assert values["model"]["residual"] is False
    assert values["training"]["learning_rate"] == 0.1
    assert values["training"]["epochs"] == 1


def test_a_run_s_own_settings_repeat_it(textrnn, data):
    textrnn("train", "--train-file", data, "--output", "one", "--seed", 3, *TINY)
    textrnn("train", "--config", "one/config.yaml", "--output", "two")
    assert config_of(Path("one")) == config_of(Path("two"))
    one, two = (package.load(name).model.get_weights() for name in ("one", "two"))
    assert [a.tobytes() for a in one] == [b.tobytes() for b in two]


def test_a_finished_run_is_only_replaced_on_demand(textrnn, finished, data):
    result = textrnn("train", "--train-file", data, "--output", finished.folder, *TINY, code=1)
    assert error_line(result).startswith(f"textrnn: settings: {finished.folder} holds a finished")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--train-file", "none.csv"], "textrnn: error: none.csv: expected a file, got none"),
        (["--train-file", "letters.csv", "--text-column", "x"], "textrnn: error: letters.csv:1: "),
        (["--units", "0"], "textrnn: settings: `units` must be at least 1, got 0."),
        (["--config", "none.yaml"], "textrnn: error: none.yaml: expected a file of settings"),
        (["--resume", "--output", "none"], "textrnn: error: none/checkpoints: nothing to resume"),
        (["--train-file", "a", "--dataset", "imdb"], "textrnn: settings: give either `dataset`"),
        (["--output", "letters.csv"], "textrnn: settings: letters.csv: cannot be written to"),
    ],
)
@pytest.mark.usefixtures("data")
def test_an_error_is_one_line_that_says_what_to_do(textrnn, arguments, message):
    assert error_line(textrnn("train", *arguments, code=1)).startswith(message)


def test_resume_and_overwrite_exclude_each_other(textrnn):
    result = textrnn("train", "--resume", "--overwrite", code=2)
    assert "exclude each other" in result.stderr


def test_without_data_it_says_what_it_trains_on(textrnn, monkeypatch):
    def stop(config, **_):
        assert config.dataset == "bbc_news"
        raise KeyboardInterrupt

    monkeypatch.setattr(running, "load_corpus", stop)
    result = textrnn("train", code=130)
    assert "no data was given: training on bbc_news" in result.stderr
    assert not Path("runs").exists()


# Ctrl-C


def test_ctrl_c_stops_after_the_batch_and_says_how_to_go_on(textrnn, data, monkeypatch):
    monkeypatch.setattr(running, "_write_curves", lambda *_: os.kill(os.getpid(), signal.SIGINT))
    handler = signal.getsignal(signal.SIGINT)
    arguments = ("train", "--train-file", data, *TINY, "--epochs", "2", "--output", "run")
    result = textrnn(*arguments, code=130)
    assert result.stdout == ""
    assert "stopping after this batch; Ctrl-C again stops at once" in result.stderr
    assert "saved; go on with: textrnn train --resume --output run\n" in result.stderr
    assert result.stderr.endswith("textrnn: interrupted\n")
    assert signal.getsignal(signal.SIGINT) is handler
    assert (Path("run") / CHECKPOINTS).is_dir()

    other = textrnn("train", "--resume", "--output", "run", "--units", 9, code=1)
    assert "a run resumes with its own settings" in error_line(other)
    again = textrnn(*arguments, code=1)
    assert "holds an unfinished run; go on with --resume" in error_line(again)
    refused = textrnn("predict", "run", "x", code=1)
    assert "this run is not finished; go on with: textrnn train --res" in error_line(refused)


def test_ctrl_c_twice_stops_at_once(textrnn, data, monkeypatch):
    def press_twice(*_):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError("still running")

    monkeypatch.setattr(running, "_write_curves", press_twice)
    result = textrnn("train", "--train-file", data, *TINY, code=130)
    assert "saved; go on with" in result.stderr


def test_ctrl_c_before_the_first_update_stops_at_once(textrnn, data, monkeypatch):
    def press(*_, **__):
        os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError("still running")

    monkeypatch.setattr(running, "load_corpus", press)
    result = textrnn("train", "--train-file", data, *TINY, code=130)
    assert result.stderr.endswith("reading the data\ntextrnn: interrupted\n")


INTERRUPTED = """
import os, signal
from textrnn.training.run import classifier as run
write = run._write_curves
def press(*arguments):
    write(*arguments)
    os.kill(os.getpid(), signal.SIGINT)
run._write_curves = press
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
        "go on with: textrnn train --resume --output run\ntextrnn: interrupted\n"
    )
    resumed = textrnn("train", "--resume", "--output", "run", "--json")
    assert "going on after 1 epoch, 1 batch" in resumed.stderr
    assert json.loads(resumed.stdout)["training"]["epochs"] == 3
    assert package.load("run").predict(["a x"])[0].label in {"neg", "pos"}


# Helping to choose, logs, callbacks of the shell


def test_a_range_test_suggests_and_trains_nothing(textrnn, data):
    result = textrnn("train", "--train-file", data, *TINY, "--find-lr", "--output", "run")
    suggestion, picture = result.stdout.splitlines()
    assert suggestion.startswith("suggestion: --learning-rate ")
    assert 1e-6 < float(suggestion.split()[-1]) < 1
    assert picture == f"picture {Path('run') / 'find_lr.png'}"
    assert not (Path("run") / "model.weights.h5").exists()


def test_the_log_can_be_json_and_the_test_left_out(textrnn, data, home):
    test = write_csv(home / "test.csv", labelled_texts(10, seed=1))
    more = ("--log-format", "json", "--no-test", "--epochs", "auto", "--patience", "1")
    result = textrnn("train", "--train-file", data, "--test-file", test, *TINY, *more)
    assert "test accuracy" not in result.stdout
    lines = [json.loads(line) for line in result.stderr.splitlines()]
    assert {line["event"] for line in lines} >= {"message", "epoch"}
    assert config_of(Path("runs/letters"))["training"]["epochs"] is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--time-budget", "soon"], "expected a duration such as 90s, 30m or 2h, got 'soon'"),
        (["--time-budget", "0s"], "expected a duration such as 90s, 30m or 2h, got '0s'"),
        (["--epochs", "0"], "`epochs` must be at least 1"),
        (["--strategy", "multiworker"], "needs the environment variable TF_CONFIG"),
        (["--time-budget", "1ms"], "the `time_budget` of 0 s is used up before training begins"),
    ],
)
def test_wrong_settings_of_the_training_are_told(textrnn, data, arguments, message):
    result = textrnn("train", "--train-file", data, *TINY, *arguments, code=1)
    assert message in error_line(result)


def test_tune_says_what_a_size_is(textrnn, data):
    result = textrnn("tune", "--train-file", data, "--size-budget", "small", code=1)
    assert "expected a size such as 2MB, got 'small'" in error_line(result)
