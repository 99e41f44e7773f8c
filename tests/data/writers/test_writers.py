"""Each format reads back the rows that its writer has written."""

import csv
import datetime
import decimal
import io
import json

import openpyxl
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_examples import examples

from textrnn.data.columns import ABSENT
from textrnn.data.writers import WRITERS
from textrnn.data.writers.values import as_plain, as_text
from textrnn.data.writers.writer import Layout
from textrnn.errors import DataError

DAY = datetime.date(2026, 11, 28)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


def write(extension, layout, *parts, folder):
    writer = WRITERS[extension](layout)
    paths = []
    for number, part in enumerate(parts):
        paths.append(folder / f"{number}.part")
        paths[-1].write_bytes(writer.part(part))
    file = io.BytesIO()
    writer.join(paths, file)
    return file.getvalue()


@examples(50)
@given(
    rows=st.lists(st.tuples(TEXT, TEXT), max_size=5), delimiter=st.sampled_from([".csv", ".tsv"])
)
def test_texts_of_tables_come_back(tmp_path_factory, rows, delimiter):
    layout = Layout(("text",), {"label": str})
    content = write(delimiter, layout, rows, folder=tmp_path_factory.mktemp("parts"))
    lines = io.StringIO(content.decode(), newline="")
    header, *read = csv.reader(lines, delimiter="," if delimiter == ".csv" else "\t", strict=True)
    assert header == ["text", "label"]
    assert [tuple(row) for row in read] == rows


@examples(50)
@given(rows=st.lists(st.tuples(TEXT, st.integers() | st.booleans() | st.none()), max_size=5))
def test_values_of_json_lines_come_back(tmp_path_factory, rows):
    layout = Layout(("text",), {"n": str})
    content = write(".jsonl", layout, rows, folder=tmp_path_factory.mktemp("parts"))
    read = [json.loads(line) for line in content.decode().split("\n")[:-1]]
    assert [(item["text"], item["n"]) for item in read] == rows


def test_parquet_keeps_the_types_of_the_input(tmp_path):
    schema = pyarrow.schema(
        [
            ("id", pyarrow.uint8()),
            ("time", pyarrow.timestamp("ns", "UTC")),
            ("tags", pyarrow.list_(pyarrow.string())),
            ("kind", pyarrow.dictionary(pyarrow.int32(), pyarrow.string())),
        ]
    )
    time = pyarrow.scalar(1_000_000_001, schema.field("time").type)
    layout = Layout(tuple(schema.names), {"score": float, "correct": bool}, schema)
    rows = [[1, time, ["a"], "x", 0.5, True], [ABSENT, None, [], "y", None, None]]
    (tmp_path / "a.parquet").write_bytes(write(".parquet", layout, rows, rows[:1], folder=tmp_path))
    table = pyarrow.parquet.read_table(tmp_path / "a.parquet")
    assert [table.schema.field(name).type for name in schema.names] == schema.types
    assert table.column("time")[2].equals(time)
    assert table.select(["id", "tags", "kind", "score", "correct"]).to_pylist()[:2] == [
        {"id": 1, "tags": ["a"], "kind": "x", "score": 0.5, "correct": True},
        {"id": None, "tags": [], "kind": "y", "score": None, "correct": None},
    ]


def test_a_row_group_ends_after_the_part_that_fills_it(tmp_path, monkeypatch):
    monkeypatch.setattr("textrnn.data.writers.parquet.ROW_GROUP_ROWS", 3)
    part = [["a"], ["b"]]
    content = write(".parquet", Layout(("text",)), part, part, part, folder=tmp_path)
    file = pyarrow.parquet.ParquetFile(io.BytesIO(content))
    sizes = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
    assert sizes == [4, 2]


@pytest.mark.parametrize("extension", WRITERS)
def test_a_table_may_be_empty(tmp_path, extension):
    content = write(extension, Layout(("text",), {"label": str}), folder=tmp_path)
    if extension == ".parquet":
        read = pyarrow.parquet.read_table(io.BytesIO(content))
        assert (read.column_names, read.num_rows) == (["text", "label"], 0)
    elif extension == ".xlsx":
        sheet = openpyxl.load_workbook(io.BytesIO(content)).active
        assert list(sheet.iter_rows(values_only=True)) == [("text", "label")]
    else:
        assert content.count(b"\n") == (0 if "json" in extension else 1)


@pytest.mark.parametrize("extension", WRITERS)
def test_bytes_that_are_no_text_become_replacement_characters(tmp_path, extension):
    content = write(extension, Layout(("text",)), [["a\udcff"]], folder=tmp_path)
    if extension == ".xlsx":
        sheet = openpyxl.load_workbook(io.BytesIO(content)).active
        assert sheet["A2"].value == "a\ufffd"
    else:
        assert "a\ufffd".encode() in content


@pytest.mark.parametrize("extension", [".jsonl", ".parquet"])
def test_names_must_differ_where_they_are_keys(extension):
    with pytest.raises(DataError, match="got 'id' more than once"):
        WRITERS[extension](Layout(("id", "text", "id")))


@pytest.mark.parametrize(
    ("value", "plain", "text"),
    [
        (None, None, ""),
        (ABSENT, None, ""),
        ("a", "a", "a"),
        (True, True, "true"),
        (3, 3, "3"),
        (0.1, 0.1, "0.1"),
        (["a", DAY], ["a", "2026-11-28"], '["a", "2026-11-28"]'),
        ({"a": {1: None}}, {"a": {"1": None}}, '{"a": {"1": null}}'),
        (b"\xff", "\ufffd", "\ufffd"),
        (datetime.datetime(2026, 11, 28, 1), "2026-11-28 01:00:00", "2026-11-28 01:00:00"),
        (decimal.Decimal("1.10"), "1.10", "1.10"),
        (pyarrow.scalar(1, pyarrow.timestamp("ns")), *["1970-01-01 00:00:00.000000001"] * 2),
        (pyarrow.scalar(None, pyarrow.timestamp("ns")), None, ""),
        (pyarrow.scalar(0, pyarrow.timestamp("ns")), *["1970-01-01 00:00:00"] * 2),
        (
            pyarrow.scalar(15 * 10**5, pyarrow.timestamp("us", "UTC")),
            *["1970-01-01 00:00:01.5Z"] * 2,
        ),
        (
            pyarrow.scalar(10**18, pyarrow.timestamp("s")),
            *["<value out of range: 1000000000000000000>"] * 2,
        ),
        (pyarrow.scalar(DAY), *["2026-11-28"] * 2),
        (pyarrow.scalar(5, pyarrow.duration("ns")), *["5 ns"] * 2),
        (pyarrow.scalar(b"0" * 16, pyarrow.uuid()), *["0" * 16] * 2),
    ],
)
def test_a_value_has_a_plain_form_and_a_text(value, plain, text):
    assert as_plain(value) == plain
    assert as_text(value) == text
