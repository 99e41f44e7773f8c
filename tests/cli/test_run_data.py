"""Commands that use a run read new data by the settings of the run's own data."""

import json
import shutil
from pathlib import Path

import pytest
from tiny import labelled_texts

from textrnn.inference.run_files import CONFIG

TINY = (
    *("--cell", "none", "--embedding-units", "4", "--vocab-size", "60", "--batch-texts", "8"),
    *("--learning-rate", "0.1", "--epochs", "4"),
)
NAMES = {"neg": "été", "pos": "hiver"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of a Latin-1 table with its own columns, trained from another folder."""
    from click.testing import CliRunner

    from textrnn.cli.main import main

    home = tmp_path_factory.mktemp("trained")
    for name, seed in (("train", 0), ("test", 1)):
        texts = labelled_texts(40, seed=seed)
        rows = [f"{i};{text} ü;{NAMES[label]}\n" for i, (text, label) in enumerate(texts)]
        (home / f"{name}.csv").write_text("id;Wörter;Klasse\n" + "".join(rows), encoding="latin-1")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.setenv("TEXTRNN_CACHE_DIR", str(home / "cache"))
        patch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
        arguments = ("train", "--train-file", "train.csv", "--test-file", "test.csv")
        arguments += ("--text-column", "Wörter", "--label-column", "Klasse")
        result = CliRunner().invoke(
            main, [*arguments, "--encoding", "latin-1", "--output", "run", *TINY]
        )
    assert result.exit_code == 0, result.output
    return home


@pytest.fixture
def run(trained, home):
    """The run, in the folder `home`, which is not that of its data."""
    return Path(shutil.copytree(trained / "run", home / "run"))


def test_evaluate_finds_the_run_s_data_from_any_folder(textrnn, trained, run):
    measured = json.loads(textrnn("evaluate", run, "--json").stdout)
    assert measured["texts"] == 40
    assert set(measured["per_class"]) == {"été", "hiver"}
    textrnn("train", "--config", run / CONFIG, "--output", "again")


def test_data_that_is_gone_is_told_with_where_its_path_came_from(textrnn, trained, run):
    moved = (trained / "test.csv").rename(trained / "moved.csv")
    try:
        for command in (["evaluate"], ["report"]):
            result = textrnn(*command, run, code=1)
            assert result.stderr == (
                f"textrnn: error: {run}: expected the test data that the run was trained with, "
                f"{trained / 'test.csv'} (from {run / CONFIG}), got no such file; put it back, or "
                "name the data by --test-file.\n"
            )
        again = textrnn("train", "--config", run / CONFIG, "--output", "again", code=1)
        assert f"(`test_file` of {run / CONFIG}): expected a file, got none" in again.stderr
        assert json.loads(textrnn("evaluate", run, "--test-file", moved, "--json").stdout)
    finally:
        moved.rename(trained / "test.csv")


def test_data_that_changed_is_noticed(textrnn, trained, run):
    path = trained / "test.csv"
    before = path.read_bytes()
    try:
        path.write_bytes(before + "99;x ü;hiver\n".encode("latin-1"))
        noticed = "the test data has changed since the run was trained (40 texts then, 41 now)"
        assert noticed in textrnn("evaluate", run).stderr
        other = shutil.copytree(run, "other")
        assert noticed in textrnn("compare", run, other).stderr
    finally:
        path.write_bytes(before)
    assert "changed" not in textrnn("evaluate", run).stderr


def test_validation_texts_of_a_changed_training_file_are_refused(textrnn, trained, run):
    path = trained / "train.csv"
    before = path.read_bytes()
    try:
        path.write_bytes(before + "99;x x ü;hiver\n".encode("latin-1"))
        for command in (["evaluate", run, "--split", "validation"], ["export", run]):
            result = textrnn(*command, code=1)
            assert "the validation data has changed since the run was trained" in result.stderr
            assert "restore the file" in result.stderr
    finally:
        path.write_bytes(before)
