"""Workbooks: what Excel can hold keeps its type, and what it cannot is a text or an error."""

import datetime
import io
import subprocess
import sys
from decimal import Decimal

import openpyxl
import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textrnn.data.columns import ABSENT
from textrnn.data.writers import excel
from textrnn.data.writers.excel import ExcelWriter
from textrnn.data.writers.writer import Layout
from textrnn.errors import DataError

DAY = datetime.date(2026, 11, 28)
TIME = datetime.datetime(2026, 11, 28, 12, 30, 15, 250_000)
LEGAL = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")


def sheet_of(writer, *parts, folder):
    """Returns the sheet of a workbook that consists of these parts."""
    paths = []
    for number, rows in enumerate(parts):
        paths.append(folder / f"{number}.part")
        paths[-1].write_bytes(writer.part(rows))
    file = io.BytesIO()
    writer.join(paths, file)
    return openpyxl.load_workbook(file).active


def written(value, folder):
    """Returns the cell of a workbook that was made of a value."""
    return sheet_of(ExcelWriter(Layout(("value",))), [[value]], folder=folder)["A2"]


@pytest.mark.parametrize("value", ["a", 3, 0.1, True, TIME, 999_999_999_999_999])
def test_a_value_that_excel_knows_keeps_its_type(tmp_path, value):
    read = written(value, tmp_path).value
    assert (type(read), read) == (type(value), value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (ABSENT, None),
        ("", None),
        (DAY, datetime.datetime(2026, 11, 28)),
        (pyarrow.scalar(TIME, pyarrow.timestamp("us")), TIME),
        (Decimal("1.10"), 1.1),
        (12_345_678_901_234_567, "12345678901234567"),
        (Decimal("1234567890.1234567"), "1234567890.1234567"),
        (float("nan"), "nan"),
        (["a", 1], '["a", 1]'),
        (datetime.date(1850, 1, 1), "1850-01-01"),
        (TIME.replace(tzinfo=datetime.timezone.utc), "2026-11-28 12:30:15.250000+00:00"),
        (pyarrow.scalar(1, pyarrow.timestamp("ns")), "1970-01-01 00:00:00.000000001"),
    ],
)
def test_any_other_value_becomes_what_excel_can_hold(tmp_path, value, expected):
    assert written(value, tmp_path).value == expected


@pytest.mark.parametrize("text", ["=1+1", "=cmd|' /C calc'!A0", "#N/A", "+1", "-1", "@x"])
def test_a_text_is_never_a_formula_or_an_error_value(tmp_path, text):
    cell = written(text, tmp_path)
    assert (cell.value, cell.data_type) == (text, "s")


def test_characters_that_a_workbook_cannot_hold_are_replaced(tmp_path):
    assert written("a\x00b\x0bc\uffffd", tmp_path).value == "a\ufffdb\ufffdc\ufffdd"


@settings(max_examples=30, deadline=None)
@given(rows=st.lists(st.tuples(st.text(LEGAL, min_size=1), st.text(LEGAL, min_size=1)), max_size=4))
def test_texts_come_back_in_order(tmp_path_factory, rows):
    writer = ExcelWriter(Layout(("text",), {"label": str}))
    sheet = sheet_of(writer, rows[:2], rows[2:], folder=tmp_path_factory.mktemp("parts"))
    assert list(sheet.iter_rows(values_only=True)) == [("text", "label"), *rows]


def test_more_rows_than_a_sheet_has_are_an_error_before_they_are_written(monkeypatch, tmp_path):
    monkeypatch.setattr(excel, "MAX_ROWS", 4)
    writer = ExcelWriter(Layout(("text",)))
    assert sheet_of(writer, [["a"], ["b"]], [["c"]], folder=tmp_path).max_row == 4
    with pytest.raises(DataError, match=r"at most 3 rows below the header of a \.xlsx file.*\.csv"):
        writer.part([["d"]])


def test_parts_of_an_earlier_job_count_as_rows(monkeypatch, tmp_path):
    monkeypatch.setattr(excel, "MAX_ROWS", 3)
    for number in range(2):
        rows = [["a"], ["b"]]
        (tmp_path / f"{number}.part").write_bytes(ExcelWriter(Layout(("text",))).part(rows))
    with pytest.raises(DataError, match="at most 2 rows"):
        ExcelWriter(Layout(("text",))).join(sorted(tmp_path.iterdir()), io.BytesIO())


def test_a_text_that_is_too_long_for_a_cell_is_an_error_that_names_it():
    writer = ExcelWriter(Layout(("id", "text")))
    assert writer.part([[1, "x" * 32_767]])
    message = "at most 32,767 characters .* got 32,768 in row 3 of the column 'text'; write"
    for cell in ("x" * 32_768, ["x" * 32_764]):
        with pytest.raises(DataError, match=message):
            writer.part([[2, "x"], [3, cell]])


def test_more_columns_than_a_sheet_has_are_an_error():
    added = {f"score:{i}": float for i in range(16_384)}
    with pytest.raises(DataError, match=r"at most 16,384 columns in a \.xlsx file, got 16,385"):
        ExcelWriter(Layout(("text",), added))


def test_a_missing_package_is_named():
    script = (
        "import sys; sys.modules['openpyxl'] = None\n"
        "from textrnn.data.writers.excel import ExcelWriter\n"
        "from textrnn.data.writers.writer import Layout\n"
        "ExcelWriter(Layout(('text',)))"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "pip install 'textrnn[excel]'" in result.stderr
