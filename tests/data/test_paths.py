"""Patterns and lists of files."""

from pathlib import Path

import pytest

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data import load_corpus
from textrnn.data.paths import (
    check_exists,
    input_files,
    kind,
    missing_file,
    own_splits,
    same_files,
    stem,
)
from textrnn.errors import DataError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("b.csv", "a.csv", "c.tsv", "deep/d.csv", "one,two.csv", "[x].csv"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text("")
    return tmp_path


@pytest.mark.parametrize(
    ("value", "files"),
    [
        ("a.csv", ["a.csv"]),
        ("[ab].csv", ["a.csv", "b.csv"]),
        ("b.csv, a.csv", ["b.csv", "a.csv"]),
        ("c.*,?.csv", ["c.tsv", "a.csv", "b.csv"]),
        ("**/d.csv", ["deep/d.csv"]),
        ("one,two.csv", ["one,two.csv"]),
        ("[x].csv", ["[x].csv"]),
        ("none.csv", ["none.csv"]),
        ("-", ["-"]),
    ],
)
def test_a_value_names_files_in_order(folder, value, files):
    assert [str(path) for path in input_files(value)] == files


def test_a_pattern_without_files_is_an_error(folder):
    with pytest.raises(DataError, match=r"x\*\.csv: expected files that match this pattern"):
        input_files("a.csv,x*.csv")
    with pytest.raises(DataError, match=r"x\*\.csv: expected files that match this pattern"):
        check_exists("x*.csv")
    with pytest.raises(DataError, match=r"none\.csv: expected a file, got none"):
        check_exists("a.csv,none.csv")
    check_exists("?.csv,-")
    assert missing_file("a.csv,*.csv") == ("", "")


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("a.csv,b.csv", "a"),
        ("data/part-*.csv.gz", "part"),
        ("data/*.parquet", "data"),
        ("data/[0-9]*.parquet", "data"),
        ("[x].csv", "[x]"),
        ("deep", "deep"),
    ],
)
def test_several_files_have_one_name(folder, value, name):
    assert stem(value) == name


def test_the_kind_is_the_extension_before_gz():
    assert (kind("a.CSV.gz"), kind("data/*.parquet"), kind("a")) == (".csv", ".parquet", "")


def test_values_may_name_a_common_file(folder):
    assert same_files("?.csv", "deep/../a.csv")
    assert not same_files("a.csv", "b.csv")
    assert not same_files("a.csv", "none.csv")
    assert not same_files("a.csv", None)


def test_a_file_is_no_folder_of_splits(folder):
    assert own_splits("a.csv") is None
    assert own_splits("a.csv,b.csv") is None


def test_a_run_learns_from_many_files(table, tmp_path):
    for part in range(3):
        table(f"part-{part}.csv", [(f"text {part} {i}", "xy"[i % 2]) for i in range(10)])
    config = ClassifierRunConfig.of(train_file=str(tmp_path / "part-*.csv"))
    corpus = load_corpus(config, seed=0)
    assert len(corpus.train) + len(corpus.validation) == 30
    assert corpus.name == "part"


def test_the_settings_of_a_run_keep_patterns_and_lists_with_absolute_paths(folder):
    config = ClassifierRunConfig.of(train_file="?.csv", test_file="c.tsv,deep/d.csv")
    absolute = config.with_absolute_paths()
    assert absolute.data.train_file == str(folder / "?.csv")
    assert absolute.data.test_file == f"{folder / 'c.tsv'},{folder / 'deep/d.csv'}"
    assert config.resumes(absolute)
    config = ClassifierRunConfig.of(train_file="one,two.csv")
    assert config.with_absolute_paths().data.train_file == str(folder / "one,two.csv")
