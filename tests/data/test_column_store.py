"""Columns behave as lists of texts and labels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textrnn.data.column_store import LabelColumn, TextColumn, take

TEXTS = st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=20)
LABELS = st.lists(st.lists(st.sampled_from("abc"), unique=True).map(tuple), max_size=20)


@settings(deadline=None)  # The first example imports Arrow.
@given(TEXTS)
def test_text_column_is_the_list_of_its_texts(texts):
    column = TextColumn.of(iter(texts))
    assert list(column) == texts == column
    assert len(column) == len(texts)
    assert column[2:5] == texts[2:5]
    assert column.characters == sum(map(len, texts))
    rows = np.arange(len(texts))[::-2]
    assert column.take(rows) == [texts[row] for row in rows] == take(texts, rows)


@given(LABELS)
def test_label_column_is_the_list_of_its_labels(labels):
    column = LabelColumn.of(iter(labels))
    assert list(column) == labels == column
    assert column[1:3] == labels[1:3]
    rows = np.arange(len(labels))[::-2]
    assert column.take(rows) == [labels[row] for row in rows] == take(labels, rows)


@given(LABELS)
def test_counts_are_in_the_order_of_first_appearance(labels):
    column = LabelColumn.of(labels)
    assert column.counts() == {row: labels.count(row) for row in labels}
    assert list(column.counts()) == list(dict.fromkeys(labels))
    names = [name for row in labels for name in row]
    assert column.name_counts() == {name: names.count(name) for name in names}
    assert list(column.name_counts()) == list(dict.fromkeys(names))


def test_counts_of_a_part_leave_out_labels_that_are_in_none_of_its_texts():
    column = LabelColumn.of([("a",), ("b",), ("c",), ("b",)]).take([3, 0])
    assert list(column.counts().items()) == [(("b",), 1), (("a",), 1)]


def test_renamed_labels_that_become_equal_are_one():
    column = LabelColumn.of([("a", "b"), ("b",), ("c",)])
    renamed = column.renamed({"a": "x", "b": "x", "c": "c"})
    assert renamed == [("x",), ("x",), ("c",)]
    assert renamed.distinct == [("x",), ("c",)]


def test_texts_of_more_than_one_block_keep_their_order():
    texts = [f"text {n}" for n in range(20_000)]
    column = TextColumn.of(texts)
    assert column == texts
    assert column[-1] == "text 19999"


def test_place_outside_of_a_column_is_an_index_error():
    with pytest.raises(IndexError):
        TextColumn.of(["a"])[1]
    with pytest.raises(IndexError):
        LabelColumn.of([("a",)])[1]
