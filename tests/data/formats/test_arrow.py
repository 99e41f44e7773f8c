"""Parquet and Arrow files, in all forms that pyarrow writes."""

import datetime
import itertools
import json

import pyarrow
import pyarrow.feather
import pyarrow.parquet
import pytest

from textrnn.data.columns import Column
from textrnn.data.file_format import FileFormat
from textrnn.data.formats.arrow import BATCH_ROWS, open_arrow, open_parquet
from textrnn.data.formats.table import Request
from textrnn.data.text_files import open_table, read_rows, read_texts
from textrnn.errors import DataError

COLUMNS = {"id": [1, 2], "label": ["pos", "neg"], "text": ["good film", "dull"]}


def write_file(table, path):
    with pyarrow.ipc.new_file(path, table.schema) as writer:
        writer.write_table(table)


def write_stream(table, path):
    with pyarrow.ipc.new_stream(path, table.schema) as writer:
        writer.write_table(table)


WRITERS = {
    "a.parquet": pyarrow.parquet.write_table,
    "a.arrow": write_file,
    "b.arrow": write_stream,
    "a.feather": pyarrow.feather.write_feather,
}


def write(folder, columns, *, name="a.parquet", **metadata):
    table = pyarrow.table(columns)
    if metadata:
        table = table.replace_schema_metadata(metadata)
    WRITERS[name](table, folder / name)
    return folder / name


def read(path, **form):
    return list(read_rows(path, FileFormat(**form)))


@pytest.mark.parametrize("name", WRITERS)
def test_reads_texts_and_labels_of_each_format(tmp_path, name):
    path = write(tmp_path, COLUMNS, name=name)
    assert [(row.origin, row.text, row.label) for row in read(path)] == [
        (f"{path}: row 1", "good film", "pos"),
        (f"{path}: row 2", "dull", "neg"),
    ]
    assert list(read_texts(path)) == COLUMNS["text"]


@pytest.mark.parametrize("name", WRITERS)
def test_all_columns_are_kept_in_order_with_their_types(tmp_path, name):
    path = write(tmp_path, COLUMNS, name=name)
    with open_table(path, Request(FileFormat(), keep=True)) as table:
        assert table.columns == ("id", "label", "text")
        assert [list(record.cells) for record in table.records()] == [
            [1, "pos", "good film"],
            [2, "neg", "dull"],
        ]
        assert table.schema.field("id").type == pyarrow.int64()


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([1, 0], [1, 0]),
        ([True, False], [True, False]),
        ([1.0, None], [1.0, None]),
        ([["a", "b"], []], [["a", "b"], []]),
    ],
)
def test_labels_have_the_values_of_the_file(tmp_path, labels, expected):
    path = write(tmp_path, {"text": ["a", "b"], "label": labels})
    assert [row.label for row in read(path)] == expected


def test_a_dictionary_of_strings_is_strings(tmp_path):
    labels = pyarrow.array(["pos", "neg", "pos"]).dictionary_encode()
    path = write(tmp_path, {"text": ["a", "b", "c"], "label": labels})
    assert [row.label for row in read(path)] == ["pos", "neg", "pos"]


def test_class_labels_become_their_names(tmp_path):
    features = {
        "label": {"names": ["neg", "pos"], "_type": "ClassLabel"},
        "tags": {"feature": {"names": ["x", "y"], "_type": "ClassLabel"}, "_type": "List"},
    }
    columns = {"text": ["a", "b", "c"], "label": [1, 0, -1], "tags": [[1, 0], [], [1]]}
    info = json.dumps({"info": {"features": features}})
    path = write(tmp_path, columns, huggingface=info)
    assert [row.label for row in read(path)] == ["pos", "neg", None]
    assert [row.label for row in read(path, label_column="tags")] == [["y", "x"], [], ["y"]]
    path = write(tmp_path, columns, huggingface="{")
    assert [row.label for row in read(path)] == [1, 0, -1]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1_000_000_001, None], pyarrow.timestamp("ns")),
        ([10**18, None], pyarrow.timestamp("s")),
        ([1, None], pyarrow.time64("ns")),
        ([datetime.date(2026, 11, 28), None], pyarrow.date32()),
        ([1, None], pyarrow.duration("ns")),
        ([[1], None, []], pyarrow.list_(pyarrow.int8())),
        ([[("a", 1)], None], pyarrow.map_(pyarrow.string(), pyarrow.int64())),
        ([{"a": 1}, None], pyarrow.struct([("a", pyarrow.int64())])),
    ],
)
def test_kept_values_stay_exact(tmp_path, values, kind):
    column = pyarrow.array(values, kind)
    path = write(tmp_path, {"text": ["a"] * len(column), "x": column}, name="a.arrow")
    with open_table(path, Request(FileFormat(), labelled=False, keep=True)) as table:
        cells = [record.cells[1] for record in table.records()]
    assert pyarrow.array(cells, kind).equals(column)


def test_other_columns_are_beside_the_label(tmp_path):
    days = [datetime.date(2026, 11, 28), None]
    path = write(tmp_path, {"text": ["a", "b"], "label": [1, 0], "day": days})
    form = FileFormat(other_columns=(Column("day", "time_column"),))
    assert [row.label for row in read_rows(path, form)] == [
        {"label": 1, "day": days[0]},
        {"label": 0, "day": None},
    ]


def test_only_the_requested_columns_are_read(tmp_path):
    path = write(tmp_path, {**COLUMNS, "blob": [b"x" * 1000] * 2})
    with open_parquet(path, Request(FileFormat())) as table:
        assert table.columns == ("label", "text")


@pytest.mark.parametrize("name", WRITERS)
def test_rows_are_read_batch_by_batch(tmp_path, name):
    texts = [str(i) for i in range(3 * BATCH_ROWS)]
    path = write(tmp_path, {"text": texts}, name=name)
    before = pyarrow.total_allocated_bytes()
    with open_table(path, Request(FileFormat(), labelled=False)) as table:
        first = list(itertools.islice(table.records(), BATCH_ROWS + 1))
        allocated = pyarrow.total_allocated_bytes() - before
    assert [record.cells[0] for record in first] == texts[: BATCH_ROWS + 1]
    assert allocated < 4_000_000


@pytest.mark.parametrize("name", WRITERS)
def test_a_missing_column_is_named(tmp_path, name):
    path = write(tmp_path, {"body": ["a"], "label": ["b"]}, name=name)
    with pytest.raises(DataError, match=r"expected one column named 'text', got 'body', 'label';"):
        read(path)
    path = write(tmp_path, {"TEXT": ["a"], "label": ["b"]}, name=name)
    with pytest.raises(DataError, match=r"got 'TEXT', 'label' \(did you mean 'TEXT'\?\); set"):
        read(path)


@pytest.mark.parametrize("opener", [open_parquet, open_arrow])
@pytest.mark.parametrize("content", [b"", b"text,label\n", b"PAR1", b"ARROW1\0\0", b"\xff" * 64])
def test_a_damaged_file_is_a_data_error_of_one_line(tmp_path, opener, content):
    path = tmp_path / "a.bin"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught, opener(path, Request(FileFormat())) as table:
        list(table.records())
    assert str(caught.value).startswith(f"{path}: expected a")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("name", WRITERS)
def test_a_truncated_file_is_a_data_error(tmp_path, name):
    path = write(tmp_path, {"text": ["a" * 100] * 1000, "label": ["b"] * 1000}, name=name)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(DataError, match="expected a"):
        read(path)


def test_a_missing_file_is_a_data_error(tmp_path):
    for name in WRITERS:
        with pytest.raises(DataError, match="expected a file, got none"):
            read(tmp_path / name)


def test_gzip_around_a_compressed_format_is_refused(tmp_path):
    (tmp_path / "a.parquet.gz").write_bytes(b"")
    with pytest.raises(DataError, match="got a compressed one; unpack it"):
        read(tmp_path / "a.parquet.gz")
