"""JSON lines; `tests/data/test_text_files.py` has the lines that cannot be read."""

import json

from textrnn.data.columns import ABSENT
from textrnn.data.file_format import FileFormat
from textrnn.data.formats.table import Request
from textrnn.data.text_files import open_table

ITEMS = [{"text": "a", "n": 1}, {"text": "b", "more": [1]}, {"n": 2}]


def test_all_keys_are_kept(tmp_path):
    path = tmp_path / "a.ndjson"
    path.write_text("".join(json.dumps(item) + "\n" for item in ITEMS))
    with open_table(path, Request(FileFormat(), labelled=False, keep=True)) as table:
        assert table.columns == ("text", "n", "more")
        records = list(table.records())
    assert [record.cells for record in records] == [
        ["a", 1, ABSENT],
        ["b", ABSENT, [1]],
        [ABSENT, 2, ABSENT],
    ]
    assert [bool(record.problem) for record in records] == [False, False, True]


def test_a_column_of_all_objects_may_be_missing_in_the_kept_ones(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"body": "a"}\n')
    request = Request(FileFormat(), labelled=False, keep=True)
    with open_table(path, request) as table:
        (row,) = table.rows(request)
    assert "expected the key 'text', got 'body'" in row.problem
