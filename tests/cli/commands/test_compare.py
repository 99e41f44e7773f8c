import contextlib
import json
import shutil
from pathlib import Path

import pytest
from tiny import labelled_texts, run_config, write_csv

from textrnn.config.language_model import LanguageModelRunConfig
from textrnn.config.model import EncoderConfig
from textrnn.inference import run_folder
from textrnn.inference.language_model import TrainedLanguageModel
from textrnn.models.language_model import LanguageModel
from textrnn.progress import Silent
from textrnn.training.run.classifier import train
from textrnn.training.search import tune as tuning
from textrnn.training.search.child import TrainChild
from textrnn.training.search.placement import Placement
from textrnn.training.search.runner import OneByOne


@pytest.fixture
def run(finished, home):
    """A copy of the finished run beside its data."""
    return shutil.copytree(finished.folder, home / "first")


@pytest.fixture
def twin(run, home):
    return shutil.copytree(run, home / "second")


def test_a_run_and_its_twin(textrnn, run, twin, finished):
    result = textrnn("compare", run, twin, "--json")
    comparison = json.loads(result.stdout)
    assert comparison["texts"] == 10
    first, second = comparison["runs"]
    assert (first["name"], second["name"]) == ("first", "second")
    assert first["accuracy"] == second["accuracy"]
    measured = finished.classifier.metrics["test"]
    assert first["accuracy"]["value"] == measured["accuracy"]
    assert first["macro_f1"]["value"] == pytest.approx(measured["macro_f1"])
    assert first["log_loss"] == pytest.approx(measured["log_loss"], rel=1e-4)
    (pair,) = comparison["pairs"]
    assert (pair["only_first"], pair["only_second"], pair["p_value"]) == (0, 0, 1.0)


def test_the_mean_of_runs(textrnn, run, twin):
    """The mean of a run and its twin is that run, at twice the cost."""
    comparison = json.loads(textrnn("compare", run, twin, "--average", "--json").stdout)
    first, _, mean = comparison["runs"]
    assert mean["name"] == "average"
    assert mean["accuracy"] == first["accuracy"]
    assert mean["log_loss"] == pytest.approx(first["log_loss"])
    assert (mean["weights"], mean["file_bytes"]) == (2 * first["weights"], 2 * first["file_bytes"])
    assert len(comparison["pairs"]) == 3


def test_tables_for_people(textrnn, run, twin):
    result = textrnn("compare", run, twin)
    for words in ("10 texts", "accuracy by length", "McNemar's exact test", "not shown"):
        assert words in result.stdout
    assert result.stdout.count("second") >= 3


def test_other_data_on_demand(textrnn, run, twin, home):
    write_csv(home / "other.csv", [("x", "neg"), ("y", "neg"), ("a x", "pos")])
    result = textrnn("compare", run, twin, "--test-file", "other.csv", "--json")
    assert json.loads(result.stdout)["texts"] == 3


def test_runs_of_one_name_have_different_names(textrnn, run, home):
    shutil.copytree(run, home / "other" / "first")
    result = textrnn("compare", "first", "other/first", "--json")
    assert [run_figures["name"] for run_figures in json.loads(result.stdout)["runs"]] == [
        "first",
        "other/first",
    ]


def test_other_labels_are_an_error(textrnn, run, home):
    rows = [(text, {"pos": "good", "neg": "bad"}[label]) for text, label in labelled_texts(20)]
    config = run_config(write_csv(home / "other.csv", rows))
    train(config, home / "odd", reporter=Silent())
    result = textrnn("compare", run, "odd", code=1)
    assert result.stdout == ""
    assert "odd: expected the labels of " in result.stderr
    assert "(neg, pos), got bad, good" in result.stderr


@pytest.mark.thorough
@pytest.mark.usefixtures("eagerly")
def test_validation_texts_of_one_run_are_not_training_texts_of_another(
    textrnn, run, twin, finished, home
):
    result = textrnn("compare", run, twin, "--split", "validation", "--json")
    assert json.loads(result.stdout)["texts"] == 4
    config = finished.config.replace(cell="none", seed=1)
    train(config, home / "odd", reporter=Silent())
    result = textrnn("compare", run, "odd", "--split", "validation", code=1)
    assert "odd was trained with another seed or other data" in result.stderr
    assert json.loads(textrnn("compare", run, "odd", "--json").stdout)["texts"] == 10


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["one"], "give at least two RUNS, one and --baseline, or --vary"),
        (["one", "two", "--epochs", "3"], "options of the training need --vary"),
        (
            ["one", "two", "--cluster", "local"],
            "--workers and --worker-cores need --vary",
        ),
        (["one", "--vary", "head=last,mean"], "give either RUNS or --vary"),
        (["--vary", "units=2,many"], "--vary units=2,many"),
    ],
)
def test_wrong_usage(textrnn, arguments, message):
    assert message in textrnn("compare", *arguments, code=2).stderr


def train_by(monkeypatch: pytest.MonkeyPatch, train: TrainChild) -> None:
    """Lets the command train its runs by a function in this process."""
    one_by_one = contextlib.nullcontext(OneByOne(train))
    monkeypatch.setattr(Placement, "runner", lambda *_, **__: one_by_one)


def test_runs_are_trained_that_differ_in_one_setting(textrnn, data, home, finished, monkeypatch):
    configs = {}

    def finish(config, folder, *, log, options):
        """Finishes any run with the weights of the tiny one."""
        configs[folder.name] = run_folder.load_config(config)
        shutil.copytree(finished.folder, folder, dirs_exist_ok=True)
        log.touch()
        return 0

    train_by(monkeypatch, finish)
    write_csv(home / "test.csv", labelled_texts(6, seed=3))
    result = textrnn(
        *("compare", "--train-file", data, "--test-file", "test.csv", "--epochs", "2"),
        *("--vary", "chrono-steps=0,9", "--output", "out", "--json"),
    )
    comparison = json.loads(result.stdout)
    assert comparison["texts"] == 6
    assert [run_figures["name"] for run_figures in comparison["runs"]] == [
        "chrono_steps=0",
        "chrono_steps=9",
    ]
    assert [config.model.chrono_steps for config in configs.values()] == [0, 9]
    assert {config.schedule.epochs for config in configs.values()} == {2}
    assert "chrono_steps=9: training; the log is out" in result.stderr


def test_runs_that_begin_with_a_language_model_have_its_shape(
    textrnn, data, home, finished, monkeypatch
):
    shape = EncoderConfig(units=5, embedding_units=3, window=1)
    tokenizer = finished.classifier.tokenizer
    model = LanguageModel(tokenizer.vocab_size, config=shape)
    model.build((None, None))
    trained = TrainedLanguageModel(model, tokenizer, LanguageModelRunConfig(model=shape))
    run_folder.save_language_model(trained, home / "lm")
    write_csv(home / "test.csv", labelled_texts(6, seed=3))
    data_options = ("--train-file", data, "--init-from", "lm")
    command = ("compare", *data_options, "--test-file", "test.csv", "--output", "out", "--vary")
    result = textrnn(*command, "cell=lstm,none", code=1)
    assert "--cell must be that of lm, mingru, got lstm" in result.stderr

    configs = []

    def fail(config, folder, *, log, options):
        configs.append(run_folder.load_config(config))
        log.touch()
        return 1

    train_by(monkeypatch, fail)
    textrnn(*command, "head=last,mean", code=1)
    (config,) = configs
    assert (config.model.units, config.model.head) == (5, "last")

    calls = []

    def tune(config, _, **more):
        calls.append((config, more))
        return []

    monkeypatch.setattr(tuning, "tune", tune)
    textrnn("tune", *data_options, "--dropout", "0.1")
    ((config, more),) = calls
    assert config.model.units == 5
    assert {"units", "cell", "vocab_size", "dropout"} <= more["fixed"]
    assert "head" not in more["fixed"]


def test_without_test_data_nothing_is_trained(textrnn, data, home):
    result = textrnn("compare", "--train-file", data, "--vary", "head=last,mean", code=1)
    assert "letters: expected test data, got none; give it with --test-file" in result.stderr
    assert not (home / "runs").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly")
def test_runs_are_really_trained(textrnn, data, home):
    write_csv(home / "test.csv", labelled_texts(6, seed=3))
    command = ["compare", "--train-file", data, "--test-file", "test.csv", "--epochs", 1, "--json"]
    command += ["--units", 3, "--vocab-size", 60, "--vary", "cell=mingru,none", "--output", "out"]
    first = json.loads(textrnn(*command).stdout)
    assert run_folder.load(home / "out" / "cell=none").config.model.cell == "none"
    again = textrnn(*command)
    assert "cell=none: finished already" in again.stderr
    assert json.loads(again.stdout)["pairs"] == first["pairs"]


def test_a_run_that_learned_from_the_test_data_is_noted(textrnn, run, finished, home):
    """The first run was measured on it; the other one was trained on it."""
    test = finished.config.data.test_file
    train(run_config(Path(test)), home / "leak", reporter=Silent())
    result = textrnn("compare", run, "leak")
    assert f"note: {test} is what leak learned from" in result.stderr
