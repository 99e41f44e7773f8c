"""Several text columns joined into one text, in every format."""

import json

import openpyxl
import pyarrow
import pyarrow.parquet
import pytest

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data import load_corpus
from textrnn.data.columns import ABSENT, Column, Record, RowPicker, joined_text
from textrnn.data.file_format import FileFormat
from textrnn.data.text_files import read_rows, read_texts
from textrnn.errors import ConfigError, DataError

HEADER = ("title", "body", "label")
ROWS = [("Draw", "A draw", "sport"), (None, "Rain", "news"), ("Sun", None, "news")]


def write(folder, name, rows=ROWS, header=HEADER):
    path = folder / name
    items = [dict(zip(header, row, strict=True)) for row in rows]
    if name.endswith(".csv"):
        lines = [header, *([cell or "" for cell in row] for row in rows)]
        path.write_text("".join(";".join(line) + "\n" for line in lines))
    elif name.endswith(".jsonl"):
        # One of the forms of a missing value is a missing key.
        present = [{key: cell for key, cell in item.items() if cell} for item in items]
        path.write_text("".join(json.dumps(item) + "\n" for item in present))
    elif name.endswith(".parquet"):
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(items), path)
    else:
        book = openpyxl.Workbook()
        for row in (header, *rows):
            book.active.append(row)
        book.save(path)
    return path


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet", "a.xlsx"])
def test_texts_of_several_columns_are_joined(tmp_path, name):
    path = write(tmp_path, name)
    form = FileFormat(text_column="title, body", text_join=" | ")
    assert [(row.text, row.label) for row in read_rows(path, form)] == [
        ("Draw | A draw", "sport"),
        ("Rain", "news"),
        ("Sun", "news"),
    ]
    assert next(read_texts(path, FileFormat(text_column="body,title"))) == "A draw\nDraw"


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet", "a.xlsx"])
def test_a_column_whose_name_has_a_comma_is_found(tmp_path, name):
    header = ("title,body", "body", "label")
    path = write(tmp_path, name, header=header)
    texts = [row.text for row in read_rows(path, FileFormat(text_column="title,body"))]
    assert texts[0] == "Draw"


@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "a.xlsx"])
def test_the_missing_one_of_several_columns_is_named(tmp_path, name):
    path = write(tmp_path, name)
    with pytest.raises(DataError, match="expected one column named 'subject'"):
        list(read_rows(path, FileFormat(text_column="title,subject")))


def test_the_settings_join_columns(tmp_path):
    rows = [(f"t{i}", f"b{i}", "xy"[i % 2]) for i in range(30)]
    path = write(tmp_path, "a.csv", rows=rows)
    config = ClassifierRunConfig.of(
        train_file=str(path), text_column="title,body", text_join=r" \t", delimiter=";"
    )
    corpus = load_corpus(config, seed=0)
    assert {"t0 \tb0", "t1 \tb1"} <= {*corpus.train.texts, *corpus.validation.texts}


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        (["a", "b"], "a-b"),
        (["a", None, "", "  ", "b"], "a-b"),
        ([ABSENT, "b"], "b"),
        ([None, ""], ""),
        ([None, ABSENT], None),
        (["a", 5], 5),
    ],
)
def test_parts_without_text_are_left_out(parts, text):
    assert joined_text(parts, "-") == text


def test_a_problem_stays_with_its_row():
    picker = RowPicker([Column("text", "")], ["text"], join="\n")
    row = picker.row(Record("a.csv:2-3", problem="bad", lines=2))
    assert (row.origin, row.problem, row.lines) == ("a.csv:2-3", "bad", 2)


def test_only_a_text_column_may_be_several():
    assert Column("a,b", "").names_in(["a", "b"]) == ()
    assert Column("a,b", "", several=True).names_in(["a"]) == ()


def test_the_label_is_no_part_of_the_text():
    with pytest.raises(ConfigError, match="`text_column` and `label_column` must differ, got 'y'"):
        ClassifierRunConfig.of(train_file="a.csv", text_column="title, y", label_column="y")
