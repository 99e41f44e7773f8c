import math
import types

import numpy as np
import pytest

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data import load_corpus, load_split
from textrnn.data.in_memory import (
    Columns,
    InMemorySource,
    NoLongerInMemory,
    labelled_rows,
    table_rows,
)
from textrnn.errors import ConfigError, DataError

TEXTS, LABELS = ["good film", "dull", "a joy", "a bore"] * 5, ["pos", "neg"] * 10


def columns_of(kind):
    """The texts and labels as columns of a package."""
    package = pytest.importorskip(kind)
    if kind == "pyarrow":
        return package.array(TEXTS), package.chunked_array([LABELS[:9], LABELS[9:]])
    make = package.array if kind == "numpy" else package.Series
    return make(TEXTS), make(LABELS)


@pytest.mark.parametrize("kind", ["numpy", "pandas", "polars", "pyarrow"])
def test_columns_of_every_package_are_read(kind):
    rows = labelled_rows(*columns_of(kind))
    assert [row.text for row in rows] == TEXTS
    assert [row.label for row in rows] == LABELS
    assert {type(row.text) for row in rows} == {str}


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow", "dict"])
def test_tables_of_every_package_are_read(kind):
    table = {"review": TEXTS, "stars": [1, 5] * 10}
    if kind != "dict":
        package = pytest.importorskip(kind)
        table = (package.table if kind == "pyarrow" else package.DataFrame)(table)
    rows = table_rows(table, Columns("review", "stars"))
    assert [row.text for row in rows] == TEXTS
    assert [row.label for row in rows] == [1, 5] * 10


def test_text_columns_are_joined_by_line_ends_without_the_empty_ones():
    table = {"title": ["A", "", None], "body": ["b", "c", "d"], "label": [0, 1, 0]}
    rows = table_rows(table, Columns(["title", "body"], "label"))
    assert [row.text for row in rows] == ["A\nb", "c", "d"]


def test_label_columns_become_flags_by_name():
    table = {"text": ["a", "b"], "toxic": np.array([1, 0]), "insult": np.array([True, False])}
    rows = table_rows(table, Columns("text", ["toxic", "insult"]))
    assert rows[0].label == {"toxic": 1, "insult": True}


def test_numpy_labels_become_plain_ones():
    rows = labelled_rows(["a", "b", "c"], [np.int64(3), np.str_("x"), np.array(["u", "v"])])
    assert [row.label for row in rows] == [3, "x", ["u", "v"]]
    assert type(rows[0].label) is int
    assert type(rows[1].label) is str


class NAType:
    """Stands for the missing value of pandas."""


@pytest.mark.parametrize("missing", [None, math.nan, np.float64("nan"), NAType()])
def test_missing_values_are_said_with_their_position(missing):
    rows = labelled_rows(["a", missing, "c"], ["x", "y", missing])
    assert "expected a string, got " in rows[1].problem
    assert rows[1].origin == "texts[1]"
    assert rows[2].label is None


@pytest.mark.parametrize(
    ("texts", "labels", "message"),
    [
        (["a", "b"], ["x"], "as many labels as texts, got 2 texts and 1 label"),
        ([], [], "texts: expected texts with labels, got none"),
        ("a text", ["x"], "`texts` must be a list, got one text, 'a text'"),
        (["a"], "x", "`labels` must be a list, got one text, 'x'"),
        ({"a", "b"}, ["x", "y"], "`texts` must be a list, got a set"),
        ({"text": ["a"]}, ["x"], "`texts` must be a list, got a dict; pass one of its columns"),
        (5, ["x"], "`texts` must be a list, got 5"),
    ],
)
def test_what_is_no_column_is_a_data_error(texts, labels, message):
    with pytest.raises(DataError, match=message):
        labelled_rows(texts, labels)


def test_an_unknown_column_is_named_with_those_there_are():
    table = types.SimpleNamespace(columns=["body", "stars"])
    with pytest.raises(ConfigError, match="a column 'text' in the table, got 'body', 'stars'"):
        table_rows(table, Columns("text", "stars"))


def test_columns_of_different_lengths_are_a_data_error():
    table = {"title": ["a", "b"], "body": ["c"], "label": [0, 1]}
    with pytest.raises(DataError, match="same length, got 2 in 'title', 1 in 'body' values"):
        table_rows(table, Columns(["title", "body"], "label"))


def test_a_corpus_is_made_of_them_as_of_a_file():
    source = InMemorySource(
        {"train": labelled_rows([f"{t} {i}" for i, t in enumerate(TEXTS)], LABELS)}
    )
    config = ClassifierRunConfig.of(dataset="in_memory")
    corpus = load_corpus(config, seed=0, source=source)
    assert corpus.name == "in_memory"
    assert corpus.label_names == ("neg", "pos")
    assert (len(corpus.train), len(corpus.validation)) == (18, 2)


@pytest.mark.parametrize(
    ("texts", "labels", "message"),
    [
        ([*TEXTS, 7], [*LABELS, "pos"], r"texts\[20\]: expected a string, got 7 \(int\)"),
        ([*TEXTS, "b"], [*LABELS, None], r"texts\[20\]: expected a label, got none"),
        (TEXTS, ["pos"] * 20, "texts of at least 2 labels in the training data, got pos"),
    ],
)
def test_a_row_that_cannot_be_used_stops(texts, labels, message):
    source = InMemorySource({"train": labelled_rows(texts, labels)})
    with pytest.raises(DataError, match=message):
        load_corpus(ClassifierRunConfig.of(dataset="in_memory"), seed=0, source=source)


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_texts_that_were_in_memory_are_no_longer_there(split):
    config = ClassifierRunConfig.of(dataset="in_memory")
    with pytest.raises(DataError, match=f"the {split} texts of the run, got none: .* keep_data"):
        load_split(config, split, seed=0, label_names=("neg", "pos"))
    with pytest.raises(DataError, match="not kept"):
        NoLongerInMemory().read(split)
