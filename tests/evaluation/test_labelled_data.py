import dataclasses
from pathlib import Path

import pytest
from tiny import finished_run, labelled_texts, write_csv

from textrnn.config.data import DataConfig
from textrnn.errors import ConfigError, DataError
from textrnn.evaluation.labelled_data import LabelledData, learned_from
from textrnn.evaluation.opened_run import RunRecord
from textrnn.progress import Silent


class Messages(Silent):
    """A reporter that keeps the messages."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def message(self, text: str) -> None:
        self.texts.append(text)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return RunRecord.of(finished_run(tmp_path_factory).folder)


@pytest.mark.parametrize(("split", "texts"), [("train", 36), ("validation", 4), ("test", 10)])
def test_the_splits_of_the_run_s_own_data(run, split, texts):
    data = LabelledData(split=split)
    assert len(data.read(run)) == texts
    assert not data.is_other_data
    assert data.name(run) == f"letters, {split}"


def test_given_texts(run):
    split = LabelledData(texts=["a", "b"], labels=["pos", ["neg"]]).read(run)
    assert (split.texts, split.labels) == (["a", "b"], [("pos",), ("neg",)])
    assert LabelledData(texts=["a"], labels=["pos"]).name(run) == "given texts"


def test_another_test_file(run, tmp_path):
    path = write_csv(tmp_path / "other.csv", labelled_texts(6))
    data = LabelledData(settings={"test_file": str(path)})
    assert data.is_other_data
    assert len(data.read(run)) == 6


def test_another_source_replaces_all_sources_of_the_run(run, tmp_path):
    path = write_csv(tmp_path / "train.csv", labelled_texts(20))
    data = LabelledData(split="train", settings={"train_file": str(path)})
    assert data.config(run).data.test_file is None
    assert LabelledData(settings={"dataset": "imdb"}).config(run).data.train_file is None


def test_settings_of_the_data_replace_those_of_the_run(run, tmp_path):
    path = str(write_csv(tmp_path / "train.csv", labelled_texts(20)))
    data = LabelledData(split="train", settings={"train_file": path})
    assert data.is_other_data
    assert len(data.read(run)) == 18


def test_without_a_source_the_data_are_the_bundled_ones(run):
    bare = dataclasses.replace(run, config=dataclasses.replace(run.config, data=DataConfig()))
    assert LabelledData().config(bare).data.dataset == "bbc_news"


def test_a_test_on_training_texts_is_reported(run):
    messages, trained_on = Messages(), run.config.data.train_file
    LabelledData(settings={"test_file": trained_on}).read(run, reporter=messages)
    assert f"note: {trained_on} is what {run.name} learned from" in messages.texts[-1]
    other_data = run.config.data.test_file
    assert learned_from({"it": run.config.data}, other_data) == []
    assert learned_from({"it": run.config.data}, None) == []


def test_a_file_that_is_gone_is_an_error(run, tmp_path):
    missing = dataclasses.replace(run.config.data, test_file=str(tmp_path / "gone.csv"))
    moved = dataclasses.replace(run, config=dataclasses.replace(run.config, data=missing))
    with pytest.raises(DataError, match=r"got no such file; put it back, or name .* `test_file`"):
        LabelledData().read(moved)
    assert Path(run.config.data.test_file).exists()


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"split": "dev"}, ConfigError, "`split` must be one of train, validation, test"),
        ({"texts": ["a"]}, DataError, "got 1 text and 0 labels"),
        ({"texts": ["a"], "labels": ["b"], "settings": {"x": 1}}, ConfigError, "not both"),
        ({"texts": "a", "labels": ["b"]}, TypeError, "list"),
    ],
)
def test_wrong_data_are_an_error(settings, error, message):
    with pytest.raises(error, match=message):
        LabelledData(**settings)


def test_wrong_settings_and_labels_are_an_error(run):
    with pytest.raises(ConfigError, match="unknown setting colour"):
        LabelledData(settings={"colour": "red"}).read(run)
    with pytest.raises(DataError, match="expected one label per text for this run, got 2 labels"):
        LabelledData(texts=["a"], labels=[["neg", "pos"]]).read(run)
