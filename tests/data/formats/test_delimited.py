"""Rows of a table; `test_real_files` has the files that break the rules."""

from pathlib import Path

import pytest

from textrnn.data.file_format import FileFormat
from textrnn.data.formats.delimited import read_table
from textrnn.data.formats.table import Request
from textrnn.errors import DataError


def read(content, *, labelled=True, **form):
    request = Request(FileFormat(**form), labelled=labelled)
    table = read_table(content.splitlines(keepends=True), Path("a.csv"), request=request)
    return list(table.rows(request)), request.notices


def test_a_row_has_the_requested_columns():
    rows, notices = read("id,label,text\n1,pos,good\n2,neg,dull\n")
    assert [(row.origin, row.text, row.label) for row in rows] == [
        ("a.csv:2", "good", "pos"),
        ("a.csv:3", "dull", "neg"),
    ]
    assert notices == []


def test_a_text_needs_no_label():
    assert read("text\ngood\n", labelled=False)[0][0].label is None


def test_several_label_columns_are_a_dictionary():
    rows, _ = read("text,fun,sad\ngood,1,0\n", label_columns=("fun", "sad"))
    assert rows[0].label == {"fun": "1", "sad": "0"}


def test_a_cell_may_have_several_lines():
    rows, _ = read('text,label\n"one\ntwo",pos\nthree,neg\n')
    assert [(row.text, row.origin, row.lines) for row in rows] == [
        ("one\ntwo", "a.csv:2", 2),
        ("three", "a.csv:4", 1),
    ]


def test_a_quote_that_swallows_rows_is_read_literally():
    rows, notices = read('text,label\nx,pos\n"open,pos\ny,pos\n"end,pos\nz,pos\n')
    assert [row.text for row in rows] == ["x", '"open', "y", '"end', "z"]
    assert "2 lines with a quote that encloses no cell read literally" in notices[0]


def test_too_many_cells_are_a_problem_of_the_row():
    rows, _ = read("text,label\na,b,c\n")
    assert rows[0].problem.startswith("expected 2 columns, got 3; put cells that contain")


def test_a_missing_column_names_its_option():
    with pytest.raises(DataError, match=r"a\.csv:1: expected one column named 'label' .*`label_c"):
        read("text,stars\ngood,5\n")


@pytest.mark.parametrize("name", ["Label", "lable"])
def test_a_column_of_a_similar_name_is_suggested(name):
    with pytest.raises(DataError, match=rf"got 'text', '{name}' \(did you mean '{name}'\?\); set"):
        read(f"text,{name}\ngood,5\n")


def test_a_second_header_in_another_order_is_an_error():
    with pytest.raises(DataError, match="got a second header with its columns in another order"):
        read("text,label\na,b\nlabel,text\nb,a\n")


def test_backslashes_before_the_quotes_of_a_quoted_cell_are_left_out():
    rows, notices = read('text,label\n"he said \\"no\\" twice",pos\ngood,pos\n')
    assert [row.text for row in rows] == ['he said "no" twice', "good"]
    assert "1 line with backslashes before quotes" in notices[0]
