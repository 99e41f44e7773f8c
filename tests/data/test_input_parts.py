"""Files as parts: the rows of the parts together are those of the table, cell by cell."""

import json

import pyarrow
import pyarrow.parquet
import pytest

from textrnn.data.columns import ABSENT
from textrnn.data.file_format import FileFormat
from textrnn.data.input_parts import (
    FileSurvey,
    InputPart,
    PartRows,
    common_layout,
    parts_of,
    piece_name,
    survey,
)
from textrnn.data.input_table import InputTable
from textrnn.data.stores import open_folder
from textrnn.errors import DataError

FORM = FileFormat()
UNIT = 4


def surveys_of(paths, home):
    """The surveys of files, as they come back from JSON."""
    found = [
        survey(path, FORM, folder=open_folder(home), place=str(number), unit_rows=UNIT)
        for number, path in enumerate(paths)
    ]
    return [FileSurvey.of(json.loads(json.dumps(one.values()))) for one in found]


def part_rows(paths, home):
    """The texts, places and cells of the rows of all parts, and the sizes of the parts."""
    surveys = surveys_of(paths, home)
    columns, _ = common_layout(surveys, typed=False)
    rows, sizes = [], list[int]()
    for number, found in enumerate(surveys):
        for place, part in enumerate(parts_of(found, first=len(sizes), unit_rows=UNIT)):
            part = InputPart.of(json.loads(json.dumps(part.values())))
            assert part.number == len(sizes)
            piece = home / piece_name(str(number), place)
            own = [
                r for rs in PartRows(part, FORM, columns=columns, piece=piece).parts(3) for r in rs
            ]
            rows += own
            sizes.append(len(own))
    return [(kept.row[:4], list(kept.cells)) for kept in rows], sizes


def table_rows(paths):
    table = InputTable(",".join(map(str, paths)), FORM)
    return [(kept.row[:4], list(kept.cells)) for kept in table.rows()]


def test_the_parts_of_texts_have_the_rows_of_the_table(tmp_path):
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    lines = "".join(f'"text, {i}\nand more",{i}\n' for i in range(9))
    first.write_bytes(f"text,id\n{lines}bad,1,2\n".encode() + b"\xff,3\n")
    second.write_text("id;text;more\n1;x;y\n")
    rows, sizes = part_rows([first, second], tmp_path / "out")
    assert rows == table_rows([first, second])
    assert sizes == [4, 4, 3, 1]
    assert rows[9][1] == [ABSENT, ABSENT, ABSENT]


def test_the_parts_of_json_lines_keep_values_and_absent_keys(tmp_path):
    path = tmp_path / "a.jsonl"
    items = [{"text": f"t{i}", **({"n": [i, {"a": None}]} if i % 2 else {})} for i in range(8)]
    broken = '{"text": null}\n{"id": 7}\n{broken\n\n'
    path.write_text("".join(json.dumps(item) + "\n" for item in items) + broken)
    rows, sizes = part_rows([path], tmp_path / "out")
    assert rows == table_rows([path])
    assert sizes == [4, 4, 3]
    (found,) = surveys_of([path], tmp_path / "again")
    assert found.notices == (f"{path}: 1 blank line skipped.",)


@pytest.mark.parametrize("group", [1, 3, 5, 100])
def test_the_parts_of_parquet_are_ranges_of_rows(tmp_path, group):
    path = tmp_path / "a.parquet"
    table = pyarrow.table({"text": [f"t{i}" for i in range(17)], "id": list(range(17))})
    pyarrow.parquet.write_table(table, path, row_group_size=group)
    rows, sizes = part_rows([path], tmp_path / "out")
    assert rows == table_rows([path])
    assert rows[6][0][0] == f"{path}: row 7"
    assert sizes == [4, 4, 4, 4, 1]
    assert not (tmp_path / "out").exists()


def test_a_file_without_rows_is_one_part(tmp_path):
    (tmp_path / "a.csv").write_text("text\n")
    pyarrow.parquet.write_table(
        pyarrow.table({"text": pyarrow.array([], "string")}), tmp_path / "b.parquet"
    )
    assert part_rows([tmp_path / "a.csv"], tmp_path / "out") == ([], [0])
    assert part_rows([tmp_path / "b.parquet"], tmp_path / "out") == ([], [0])


def test_types_are_those_of_the_whole_table(tmp_path):
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    first.write_text('{"text": "a", "n": 1, "m": 1}\n')
    second.write_text('{"m": "x", "text": "b", "n": 2.5}\n')
    columns, schema = common_layout(surveys_of([first, second], tmp_path / "out"), typed=True)
    assert columns == ("text", "n", "m")
    assert [str(kind) for kind in schema.types] == ["string", "double", "string"]
    assert common_layout(surveys_of([first], tmp_path / "out"), typed=False)[1] is None


def test_a_file_that_changes_is_an_error(tmp_path):
    path = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"text": ["a", "b"]}), path)
    (found,) = surveys_of([path], tmp_path / "out")
    pyarrow.parquet.write_table(pyarrow.table({"text": ["a", "b", "c"]}), path)
    (part,) = parts_of(found, unit_rows=UNIT)
    with pytest.raises(DataError, match="expected the file that the job began with"):
        PartRows(part, FORM, columns=("text",), piece=path)


def test_other_files_are_refused(tmp_path):
    (tmp_path / "a.xlsx").write_bytes(b"PK")
    with pytest.raises(DataError, match=r"expected a \.parquet, \.csv"):
        surveys_of([tmp_path / "a.xlsx"], tmp_path / "out")
    (tmp_path / "a.csv").write_text("text\na\n")
    pyarrow.parquet.write_table(pyarrow.table({"text": ["a"]}), tmp_path / "b.parquet")
    surveys = surveys_of([tmp_path / "a.csv", tmp_path / "b.parquet"], tmp_path / "out")
    with pytest.raises(DataError, match=r"expected \.parquet files alone or none"):
        common_layout(surveys, typed=False)
