"""The labelled texts of a run, read from another folder than the run was trained in."""

import json
import shutil
from pathlib import Path

import pytest
from tiny import QUIET, labelled_texts, run_config

from textrnn.cli.run_data import check_run
from textrnn.errors import DataError, ModelError
from textrnn.evaluation.labelled_data import LabelledData
from textrnn.evaluation.opened_run import RunRecord
from textrnn.inference.run_files import CONFIG
from textrnn.progress import Silent
from textrnn.training.run.classifier import train

NAMES = {"neg": "été", "pos": "hiver"}


class Log(Silent):
    """A reporter that remembers its messages."""

    def __init__(self):
        self.messages: list[str] = []

    def message(self, text):
        self.messages.append(text)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with a run of a Latin-1 table that has columns of its own."""
    home = tmp_path_factory.mktemp("trained")
    for name, seed in (("train", 0), ("test", 1)):
        texts = labelled_texts(40, seed=seed)
        rows = [f"{i};{text} ü;{NAMES[label]}\n" for i, (text, label) in enumerate(texts)]
        (home / f"{name}.csv").write_text("id;Wörter;Klasse\n" + "".join(rows), encoding="latin-1")
    config = run_config(
        home / "train.csv",
        test_file=str(home / "test.csv"),
        text_column="Wörter",
        label_column="Klasse",
        encoding="latin-1",
        delimiter=";",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEXTRNN_CACHE_DIR", str(home / "cache"))
        train(config, home / "run", reporter=QUIET)
    return home


@pytest.fixture
def run(trained, home):
    """A copy of the run whose data the test may change."""
    for name in ("train.csv", "test.csv"):
        shutil.copy(trained / name, home / name)
    copy = Path(shutil.copytree(trained / "run", home / "run"))
    # Digests are those of a run that is loaded; `read_split` reads only the settings.
    config = (copy / CONFIG).read_text(encoding="utf-8")
    (copy / CONFIG).write_text(config.replace(str(trained), str(home)), encoding="utf-8")
    return copy


def read(run, which="test", **data):
    """The split, and the messages about it."""
    log = Log()
    source = LabelledData(split=which, settings=data or {})
    return source.read(RunRecord.of(run), reporter=log), log.messages


def append(path, row):
    path.write_bytes(path.read_bytes() + row.encode("latin-1"))


@pytest.mark.usefixtures("eagerly")
def test_a_split_is_read_as_the_run_read_it(run):
    split, messages = read(run)
    assert list(split.texts) == [f"{text} ü" for text, _ in labelled_texts(40, seed=1)]
    assert {label for labels in split.labels for label in labels} == set(NAMES.values())
    assert messages == []


def test_a_command_finds_the_data_from_any_folder(textrnn, trained):
    measured = json.loads(textrnn("evaluate", trained / "run", "--json").stdout)
    assert measured["texts"] == 40
    assert set(measured["per_class"]) == {"été", "hiver"}


@pytest.mark.parametrize(
    ("which", "name"), [("test", "test.csv"), ("train", "train.csv"), ("validation", "train.csv")]
)
def test_data_that_is_gone_is_named_with_the_origin_of_its_path(run, home, which, name):
    (home / name).rename(home / "moved.csv")
    with pytest.raises(DataError) as raised:
        read(run, which)
    setting = "valid_file" if which == "validation" else f"{which}_file"
    assert str(raised.value) == (
        f"{run}: expected the {which} data that the run was trained with, {home / name} (from "
        f"{run / CONFIG}), got no such file; put it back, or name the data by `{setting}`."
    )


def test_other_data_may_be_named(run, home):
    (home / "test.csv").rename(home / "moved.csv")
    split, messages = read(run, test_file=str(home / "moved.csv"))
    assert len(split) == 40
    assert messages == []


def test_test_data_that_changed_are_noted(run, home):
    append(home / "test.csv", "99;x ü;hiver\n")
    _, messages = read(run)
    changed = "the test data has changed since the run was trained (40 texts then, 41 now)"
    assert any(changed in message for message in messages)


def test_validation_texts_of_a_changed_training_file_are_refused(run, home):
    append(home / "train.csv", "99;x x ü;hiver\n")
    with pytest.raises(DataError, match="the validation data has changed since the run was") as e:
        read(run, "validation")
    assert "restore the file" in str(e.value)


def test_a_test_on_the_training_file_is_noted(run, home):
    _, messages = read(run, test_file="train.csv")
    note = f"train.csv is what {run} learned from: its figures say nothing about other texts."
    assert any(note in message for message in messages)


def test_a_run_and_its_files_are_checked_without_reading_them(run, home):
    check_run(run, {"data": {"test_file": "train.csv", "dataset": "imdb"}})
    with pytest.raises(DataError, match=r"none.csv: expected a file, got none"):
        check_run(run, {"data": {"test_file": "none.csv"}})
    with pytest.raises(ModelError, match="expected a run folder, found none"):
        check_run(home / "nothing", {})
