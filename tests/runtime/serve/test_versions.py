from pathlib import Path

import pytest
from letter_model import write_run

from textrnn.runtime.errors import ConfigError, ModelError
from textrnn.runtime.serve import ModelSource, parse_source
from textrnn.runtime.serve.versions import version_folders


def test_a_model_has_the_name_of_its_folder_or_the_given_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert parse_source("runs/spam") == ModelSource("spam", Path("runs/spam"))
    assert parse_source("ham=runs/spam") == ModelSource("ham", Path("runs/spam"))
    assert parse_source(".").name == tmp_path.name


def test_a_folder_with_an_equals_sign_is_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a=b").mkdir()
    with pytest.raises(ConfigError, match="NAME=RUN"):
        parse_source("a=b")
    assert parse_source("x=a=b") == ModelSource("x", Path("a=b"))


@pytest.mark.parametrize("name", ["two words", "ümlaut", "a:b"])
def test_a_name_that_a_url_would_escape_is_an_error(name):
    with pytest.raises(ConfigError, match="expected a model name"):
        parse_source(f"runs/{name}")


def test_a_run_folder_is_version_1(tmp_path):
    (found,) = version_folders(write_run(tmp_path / "run"))
    assert (found.version, found.folder) == (1, tmp_path / "run")


def test_versions_are_sorted_by_number_and_other_folders_left_out(tmp_path):
    for name in ("2", "10", "01", "0", "x", "-1"):
        write_run(tmp_path / name)
    (tmp_path / "11").mkdir()
    assert [found.version for found in version_folders(tmp_path)] == [10, 2]


@pytest.mark.parametrize("exists", [False, True])
def test_any_other_folder_is_an_error(tmp_path, exists):
    folder = tmp_path / "run"
    if exists:
        folder.mkdir()
    with pytest.raises(ModelError, match="expected a"):
        version_folders(folder)
