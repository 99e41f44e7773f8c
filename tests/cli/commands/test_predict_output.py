"""`textrnn predict --output`."""

import csv
import datetime
import json
import os

import openpyxl
import pyarrow
import pyarrow.parquet
import pytest

from textrnn.data.resumable_output import ResumableOutput
from textrnn.errors import ConfigError

pytestmark = pytest.mark.usefixtures("eagerly")

TEXTS = ["a x b", "y", "c c x", "b y"]
LABELS = ["pos", "neg", "pos", "neg"]


class Killed(BaseException):
    """Ends a job like a kill."""


def kill(*_):
    raise Killed


@pytest.fixture
def run(finished):
    return finished.folder


@pytest.fixture
def table(home):
    rows = [(str(i), text, f"note, {i}") for i, text in enumerate(TEXTS)]
    with (home / "in.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("id", "text", "note"), *rows])
    return "in.csv"


def read(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_all_columns_are_kept_and_the_answers_are_beside_them(textrnn, run, table, finished):
    result = textrnn("predict", run, "--file", table, "--output", "out.csv")
    assert result.stdout == ""
    assert "4 rows written to out.csv" in result.stderr
    rows = read("out.csv")
    assert list(rows[0]) == ["id", "text", "note", "label", "score", "error"]
    assert [(row["id"], row["text"], row["note"], row["label"]) for row in rows] == [
        (str(i), text, f"note, {i}", label)
        for i, (text, label) in enumerate(zip(TEXTS, LABELS, strict=True))
    ]
    expected = [prediction.score for prediction in finished.classifier.predict(TEXTS)]
    assert [float(row["score"]) for row in rows] == pytest.approx(expected, abs=1e-6)


def test_values_of_parquet_and_of_json_lines_keep_their_types(textrnn, run, home):
    table = pyarrow.table({"id": pyarrow.array([1, 2], "uint8"), "text": ["x", "y"]})
    pyarrow.parquet.write_table(table, home / "in.parquet")
    textrnn("predict", run, "--file", "in.parquet", "--output", "out.parquet", "--top-k", "2")
    written = pyarrow.parquet.read_table(home / "out.parquet")
    assert written.select(["id", "text"]).equals(table)
    assert written.column("label_2").to_pylist() == ["neg", "pos"]
    (home / "in.jsonl").write_text('{"text": "x", "id": 1}\n{"text": "y", "tags": ["a"]}\n')
    textrnn("predict", run, "--file", "in.jsonl", "--output", "out.jsonl")
    first, second = map(json.loads, (home / "out.jsonl").read_text().splitlines())
    assert (first["id"], "tags" in first, second["tags"]) == (1, False, ["a"])
    textrnn("predict", run, "--file", "in.jsonl", "--output", "typed.parquet")
    written = pyarrow.parquet.read_table(home / "typed.parquet")
    assert written.column("id").to_pylist() == [1, None]
    assert written.column("tags").to_pylist() == [None, '["a"]']


def test_lines_and_stdin_are_a_table_of_texts(textrnn, run, home):
    (home / "in.txt").write_text("x\ny\n")
    textrnn("predict", run, "--file", "in.txt", "--output", "out.csv")
    assert [(row["text"], row["label"]) for row in read("out.csv")] == [("x", "pos"), ("y", "neg")]
    textrnn("predict", run, "-", "--output", "stdin.csv", input=b"x\ny\n")
    assert (home / "stdin.csv").read_bytes() == (home / "out.csv").read_bytes()


def test_a_bad_row_gets_an_empty_answer_with_its_reason(textrnn, run, home):
    (home / "in.csv").write_text("id,text\n1,x\n2,y,z\n3,\n4,y\n")
    result = textrnn("predict", run, "--file", "in.csv", "--output", "out.csv")
    rows = read("out.csv")
    assert [row["label"] for row in rows][::3] == ["pos", "neg"]
    assert (rows[1]["label"], rows[1]["score"]) == ("", "")
    assert rows[1]["error"].startswith("in.csv:3: expected 2 columns, got 3")
    assert "note: 1 row could not be read and got an empty answer (the first: in.csv:3" in (
        result.stderr
    )
    assert "note: 1 text is blank" in result.stderr


def test_a_column_of_the_input_is_not_replaced(textrnn, run, home):
    (home / "in.csv").write_text("text,label\nx,mine\n")
    result = textrnn("predict", run, "--file", "in.csv", "--output", "out.csv")
    (row,) = read("out.csv")
    assert (row["label"], row["predicted_label"]) == ("mine", "pos")
    assert "'predicted_label' instead of 'label'" in result.stderr


def test_a_job_that_was_killed_continues_to_the_same_bytes(textrnn, run, home, monkeypatch):
    monkeypatch.setattr("textrnn.cli.answer_table.PART_ROWS", 2)
    (home / "in.csv").write_text("text\n" + "".join(f"{t}\nx,bad\n{t} b\n" for t in TEXTS))
    arguments = ("predict", run, "--file", "in.csv", "--output")
    textrnn(*arguments, "whole.csv")
    add = ResumableOutput.add

    def add_until_killed(self, rows):
        if self._count == 3:
            raise Killed
        add(self, rows)

    with monkeypatch.context() as patch:
        patch.setattr(ResumableOutput, "add", add_until_killed)
        with pytest.raises(Killed):
            textrnn(*arguments, "out.csv")
    assert not (home / "out.csv").exists()
    result = textrnn(*arguments, "out.csv", code=1)
    assert "continue it with --resume, or remove the folder" in result.stderr
    result = textrnn(*arguments, "out.csv", "--resume", "--top-k", "2", code=1)
    assert "differs in `top_k`" in result.stderr
    result = textrnn(*arguments, "out.csv", "--resume")
    assert "4 rows could not be read" in result.stderr
    assert (home / "out.csv").read_bytes() == (home / "whole.csv").read_bytes()
    assert not (home / "out.csv.partial").exists()


def test_a_workbook_keeps_the_types_of_its_cells_and_continues(textrnn, run, home, monkeypatch):
    monkeypatch.setattr("textrnn.cli.answer_table.PART_ROWS", 2)
    workbook = openpyxl.Workbook()
    day = datetime.datetime(2026, 11, 28)
    for row in [("id", "day", "text"), *((i, day, text) for i, text in enumerate(TEXTS))]:
        workbook.active.append(row)
    workbook.save(home / "in.xlsx")
    with monkeypatch.context() as patch:
        patch.setattr(ResumableOutput, "finish", kill)
        with pytest.raises(Killed):
            textrnn("predict", run, "--file", "in.xlsx", "--output", "out.xlsx")
    textrnn("predict", run, "--file", "in.xlsx", "--output", "out.xlsx", "--resume")
    sheet = openpyxl.load_workbook(home / "out.xlsx").active
    header, *rows = sheet.iter_rows(values_only=True)
    assert header == ("id", "day", "text", "label", "score", "error")
    assert [row[:4] for row in rows] == [
        (i, day, text, label) for i, (text, label) in enumerate(zip(TEXTS, LABELS, strict=True))
    ]
    assert all(0.5 <= row[4] <= 1 and row[5] is None for row in rows)


def test_a_table_that_no_workbook_can_hold_is_found_before_it_is_answered(
    textrnn, run, table, home, monkeypatch
):
    monkeypatch.setattr("textrnn.data.writers.excel.MAX_ROWS", len(TEXTS))
    result = textrnn("predict", run, "--file", table, "--output", "out.xlsx", code=1)
    assert "expected at most 3 rows below the header of a .xlsx file" in result.stderr
    assert [path.name for path in home.iterdir()] == [table]


def test_a_damaged_file_leaves_no_output(textrnn, run, home):
    (home / "in.csv.gz").write_bytes(b"\x1f\x8b")
    result = textrnn("predict", run, "--file", "in.csv.gz", "--output", "out.csv", code=1)
    assert "expected a whole gzip file" in result.stderr
    assert [path.name for path in home.iterdir()] == ["in.csv.gz"]


def test_the_threads_of_products_are_chosen_before_a_table_needs_numpy(
    textrnn, run, table, monkeypatch
):
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)

    def stop(*_):
        raise ConfigError(f"threads: {os.environ.get('OPENBLAS_NUM_THREADS')}")

    monkeypatch.setattr("textrnn.cli.commands.predict.check_output_options", stop)
    result = textrnn("predict", run, "--file", table, "--output", "out.parquet", code=1)
    assert "threads: 1" in result.stderr


def test_json_is_about_printed_answers(textrnn, run, table):
    arguments = ("predict", run, "--file", table, "--output", "out.csv", "--json")
    assert "--json is about printed answers" in textrnn(*arguments, code=2).stderr


def test_a_stream_has_no_table(textrnn, run):
    result = textrnn("predict", run, "--stream", "--output", "out.csv", code=2)
    assert "--stream reads stdin" in result.stderr
