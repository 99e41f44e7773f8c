"""Tables with all their columns, of one file or of several."""

import pyarrow
import pyarrow.parquet
import pytest

from textrnn.data.columns import ABSENT
from textrnn.data.file_format import FileFormat
from textrnn.data.input_table import InputTable
from textrnn.errors import DataError


def write(path, content):
    path.write_text(content)
    return path


def rows(table):
    return [(kept.row.text, list(kept.cells)) for kept in table.rows()]


def test_a_row_has_its_text_and_all_cells(tmp_path):
    table = InputTable(write(tmp_path / "a.csv", "id;text;id\n1;good;2\n"), FileFormat())
    assert table.columns == ("id", "text", "id")
    assert rows(table) == [("good", ["1", "good", "2"])]
    assert len(table.notices) == 1


def test_a_bad_row_has_no_cells(tmp_path):
    table = InputTable(write(tmp_path / "a.csv", "id,text\n1,good,2\n2,dull\n"), FileFormat())
    bad, good = table.rows()
    assert (bad.row.problem[:18], bad.cells) == ("expected 2 columns", [ABSENT, ABSENT])
    assert good.cells == ["2", "dull"]


def test_a_cell_that_is_no_text_keeps_its_row(tmp_path):
    table = InputTable(write(tmp_path / "a.jsonl", '{"id": 1, "text": null}\n'), FileFormat())
    assert rows(table) == [(None, [1, None])]


def test_lines_are_a_table_of_one_column(tmp_path):
    table = InputTable(write(tmp_path / "a.txt", "one\ntwo\n"), FileFormat())
    assert (table.columns, rows(table)) == (("text",), [("one", ["one"]), ("two", ["two"])])


def test_several_files_have_the_columns_of_all(tmp_path):
    write(tmp_path / "a.csv", "id,text\n1,good\n")
    write(tmp_path / "b.csv", "text,more,id\ndull,x,2\n")
    table = InputTable(tmp_path / "*.csv", FileFormat())
    assert table.columns == ("id", "text", "more")
    assert rows(table) == [("good", ["1", "good", ABSENT]), ("dull", ["2", "dull", "x"])]


def test_the_types_of_several_files_are_one(tmp_path):
    for name, column in (("a", pyarrow.array([1])), ("b", pyarrow.array([2]))):
        part = pyarrow.table({"text": [name], "id": column})
        pyarrow.parquet.write_table(part, tmp_path / f"{name}.parquet")
    table = InputTable(tmp_path / "*.parquet", FileFormat())
    assert table.schema.field("id").type == pyarrow.int64()
    part = pyarrow.table({"text": ["c"], "id": ["3"]})
    pyarrow.parquet.write_table(part, tmp_path / "c.parquet")
    with pytest.raises(DataError, match="expected files whose columns have the same types"):
        InputTable(tmp_path / "*.parquet", FileFormat())


def test_a_part_has_rows_of_one_file(tmp_path):
    for name, count in (("a", 5), ("b", 0), ("c", 2)):
        write(tmp_path / f"{name}.csv", "text\n" + "".join(f"{name}{i}\n" for i in range(count)))
    parts = InputTable(tmp_path / "*.csv", FileFormat()).parts(3)
    texts = [[kept.row.text for kept in part] for part in parts]
    assert texts == [["a0", "a1", "a2"], ["a3", "a4"], ["c0", "c1"]]


def test_a_table_is_read_row_by_row(tmp_path):
    path = write(tmp_path / "a.csv", "text\n" + "a\n" * 100_000)
    table = iter(InputTable(path, FileFormat()).rows())
    next(table)
    path.write_text("")  # The rows that are not in a buffer yet are gone.
    assert sum(1 for _ in table) < 20_000


def test_the_digest_is_of_the_contents(tmp_path):
    first = InputTable(write(tmp_path / "a.csv", "text\na\n"), FileFormat()).digest()
    assert InputTable(write(tmp_path / "b.csv", "text\na\n"), FileFormat()).digest() == first
    assert InputTable(write(tmp_path / "a.csv", "text\nb\n"), FileFormat()).digest() != first


def test_a_folder_of_classes_is_no_table(tmp_path):
    (tmp_path / "pos").mkdir()
    with pytest.raises(DataError, match="expected a file, got a folder"):
        InputTable(tmp_path, FileFormat())
