import csv
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from tiny import QUIET, labelled_texts, run_config, write_csv

import textrnn
from textrnn.analysis.statistics import wilson
from textrnn.data import load_corpus
from textrnn.errors import ConfigError, DataError
from textrnn.inference import run_folder
from textrnn.training.run.classifier import train
from textrnn.training.search.folds import train_folds
from textrnn.training.search.runner import OneByOne

ROWS = labelled_texts(42)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch, eagerly) -> None:
    """Keeps the tokenizers and drawings of these tests apart."""
    monkeypatch.setenv("TEXTRNN_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr("textrnn.training.run.classifier_run.draw_curves", lambda *_, **__: None)


@pytest.fixture
def config(tmp_path):
    data = write_csv(tmp_path / "letters.csv", ROWS)
    test = write_csv(tmp_path / "test.csv", ROWS[:2])
    return run_config(data, test_file=str(test), linear_baseline=False)


class Trainings:
    """Replaces the processes: trains in this one."""

    def __init__(self) -> None:
        self.runs: list[str] = []

    def __call__(self, config: Path, run: Path, *, log: Path, options: Sequence[str]) -> int:
        self.runs.append(run.name)
        train(run_folder.load_config(config), run, reporter=QUIET, resume_or_start=True)
        log.touch()
        return 0


@pytest.mark.thorough
def test_each_text_is_answered_by_a_run_that_has_not_seen_it(config, tmp_path):
    trainings = Trainings()
    folds = train_folds(config, tmp_path / "folds", count=2, runner=OneByOne(trainings))
    assert trainings.runs == ["fold-1", "fold-2"]
    assert [fold.texts for fold in folds.folds] == [21, 21]

    lines = list(csv.DictReader((tmp_path / "folds" / "folds.csv").read_text().splitlines()))
    assert [int(line["row"]) for line in lines] == list(range(42))
    assert [(line["text"], line["label"]) for line in lines] == ROWS
    right = sum(line["label"] == line["predicted"] for line in lines)
    assert folds.accuracy == wilson(right, 42)
    assert folds.macro_f1.low <= folds.macro_f1.value <= folds.macro_f1.high

    for number, fold in enumerate(folds.folds, start=1):
        run = textrnn.load(fold.run)
        assert fold.accuracy == pytest.approx(run.metrics["test"]["accuracy"])
        assert fold.macro_f1 == pytest.approx(run.metrics["test"]["macro_f1"])
        own = [line for line in lines if line["fold"] == str(number)]
        learned = load_corpus(run.config, seed=0).train.texts
        assert not {line["text"] for line in own} & set(learned)
        answers = run.probabilities([line["text"] for line in own])
        scores = [float(line["score of pos"]) for line in own]
        assert scores == pytest.approx(answers[:, 1].tolist(), rel=1e-4)

    figures = json.loads((tmp_path / "folds" / "folds.json").read_text())
    assert figures["accuracy_of_folds"]["mean"] == pytest.approx(folds.mean("accuracy")[0])
    assert figures["texts"] == 42

    again = train_folds(config, tmp_path / "folds", count=2, runner=OneByOne(trainings))
    assert again == folds
    assert len(trainings.runs) == 2
    with pytest.raises(ConfigError, match="compare on other test data"):
        textrnn.compare([folds.folds[0].run, folds.folds[1].run])
    with pytest.raises(ConfigError, match="contains a run with other settings"):
        train_folds(config.replace(seed=1), tmp_path / "folds", count=2, runner=OneByOne(trainings))


@pytest.mark.thorough
def test_runs_of_other_settings_are_replaced_on_request(config, tmp_path):
    trainings = Trainings()
    train_folds(config, tmp_path / "folds", count=2, runner=OneByOne(trainings))
    other = config.replace(seed=1)
    train_folds(other, tmp_path / "folds", count=2, runner=OneByOne(trainings), overwrite=True)
    assert trainings.runs == ["fold-1", "fold-2"] * 2


@pytest.mark.thorough
def test_several_labels_are_lists(tmp_path):
    rows = [(text, ",".join(c for c in "ab" if c in text)) for text, _ in ROWS]
    config = run_config(
        write_csv(tmp_path / "letters.csv", rows), multi_label=True, linear_baseline=False
    )
    folds = train_folds(config, tmp_path / "folds", count=2, runner=OneByOne(Trainings()))
    lines = csv.DictReader(folds.table.read_text().splitlines())
    assert [json.loads(line["label"]) for line in lines] == [
        label.split(",") if label else [] for _, label in rows
    ]


def never(config: Path, run: Path, *, log: Path, options: Sequence[str]) -> int:
    raise AssertionError("no run is trained")


@pytest.mark.parametrize(
    ("settings", "count", "error", "message"),
    [
        ({}, 1, ConfigError, "expected at least 2 folds, got 1"),
        ({"fold": "1/2", "test_file": None}, 2, ConfigError, "leave it out to train all"),
        ({}, 50, DataError, "at least 50 different texts or groups for 50 folds, got 42"),
        ({"group_column": "who"}, 2, DataError, "one column named 'who'"),
    ],
)
def test_a_fault_comes_before_the_first_training(config, tmp_path, settings, count, error, message):
    with pytest.raises(error, match=message):
        train_folds(
            config.replace(**settings), tmp_path / "out", count=count, runner=OneByOne(never)
        )
    assert not (tmp_path / "out").exists()
