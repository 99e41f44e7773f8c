"""Excel workbooks."""

import datetime
import sys

import openpyxl
import pytest

from textrnn.data.file_format import FileFormat
from textrnn.data.formats.table import Request
from textrnn.data.text_files import open_table, read_rows
from textrnn.errors import DataError


def write(path, rows, *, other=None):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    if other is not None:
        book.create_sheet(other)
    book.save(path)
    return path


def read(path, **form):
    notices: list[str] = []
    return list(read_rows(path, FileFormat(**form), notices=notices)), notices


def test_rows_have_the_columns_of_the_first_row(tmp_path):
    path = write(tmp_path / "a.xlsx", [["id", " label ", "text"], [1, "pos", "good"], [2, 0, "x"]])
    rows, notices = read(path)
    assert [(row.origin, row.text, row.label) for row in rows] == [
        (f"{path}: row 2", "good", "pos"),
        (f"{path}: row 3", "x", 0),
    ]
    assert notices == []


def test_blank_rows_are_skipped_and_short_rows_are_filled(tmp_path):
    path = write(tmp_path / "a.xlsx", [[], ["text", "label"], ["a", "b"], [], ["c"]])
    rows, notices = read(path)
    assert [(row.text, row.label) for row in rows] == [("a", "b"), ("c", None)]
    assert notices == [f"{path}: 1 blank row skipped."]


def test_a_number_as_text_is_its_digits(tmp_path):
    path = write(tmp_path / "a.xlsx", [["text", "label"], [2026, "year"], [True, "x"]])
    assert [row.text for row in read(path)[0]] == ["2026", True]


def test_cells_beside_the_table_are_a_problem_of_the_row(tmp_path):
    path = write(tmp_path / "a.xlsx", [["text", "label"], ["a", "b", "note"], ["c", "d"]])
    first, second = read(path)[0]
    assert "expected 2 columns, got 3" in first.problem
    assert second.text == "c"


def test_kept_cells_have_their_types(tmp_path):
    day = datetime.datetime(2026, 11, 28)
    path = write(tmp_path / "a.xlsx", [["day", "text", "price"], [day, "a", 1.5]])
    with open_table(path, Request(FileFormat(), labelled=False, keep=True)) as table:
        assert [record.cells for record in table.records()] == [[day, "a", 1.5]]


def test_another_sheet_is_noted(tmp_path):
    path = write(tmp_path / "a.xlsx", [["text", "label"], ["a", "b"]], other="more")
    assert "read the sheet 'Sheet', not 'more'" in read(path)[1][0]


@pytest.mark.parametrize("content", [b"", b"text,label\n", b"PK\x03\x04"])
def test_another_file_is_a_data_error(tmp_path, content):
    (tmp_path / "a.xlsx").write_bytes(content)
    with pytest.raises(DataError, match=r"expected an Excel workbook \(\.xlsx\)"):
        read(tmp_path / "a.xlsx")


def test_unusable_sheets_are_data_errors(tmp_path):
    with pytest.raises(DataError, match="expected a header row, got an empty sheet"):
        read(write(tmp_path / "a.xlsx", []))
    with pytest.raises(DataError, match="expected one column named 'label', got 'text'"):
        read(write(tmp_path / "b.xlsx", [["text"], ["a"]]))
    with pytest.raises(DataError, match="expected a file, got none"):
        read(tmp_path / "c.xlsx")


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(DataError, match=r"pip install 'textrnn\[excel\]'"):
        read(tmp_path / "a.xlsx")
