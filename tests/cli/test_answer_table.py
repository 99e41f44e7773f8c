"""Tables of answers, without a classifier; `commands/test_predict_output.py` has the command."""

import csv

import pytest

from textrnn.cli.answer_table import AnswerTable
from textrnn.data.file_format import FileFormat
from textrnn.data.input_table import InputTable
from textrnn.data.resumable_output import ResumableOutput, partial_folder
from textrnn.data.writers import WRITERS
from textrnn.data.writers.writer import Layout
from textrnn.progress import Silent

ROWS = 10


class Log(Silent):
    """A reporter that remembers its messages."""

    def __init__(self):
        self.messages = []

    def message(self, text):
        self.messages.append(text)


class CountingTable(InputTable):
    """Counts the rows that were read of it."""

    pulled = 0

    def file_rows(self, path):
        for kept in super().file_rows(path):
            self.pulled += 1
            yield kept


@pytest.fixture
def table(home):
    (home / "in.csv").write_text("text\n" + "".join(f"text {i}\n" for i in range(ROWS)))
    return CountingTable("in.csv", FileFormat())


def answers(table, home, *, resume=False, log=None):
    layout = Layout(table.columns, {"length": int, "error": str})
    writer = WRITERS[".csv"](layout)
    output = ResumableOutput(home / "out.csv", writer, job={}, resume=resume)
    return AnswerTable(table, output, encoding="utf-8", reporter=log or Log(), part_rows=3)


def lengths(texts):
    return [[len(text)] for text in texts]


def test_no_more_rows_are_read_than_those_of_a_part(table, home):
    ahead = []

    def answer(texts):
        ahead.append(table.pulled)
        return lengths(texts)

    answers(table, home).write(answer, width=1)
    assert ahead == [3, 6, 9, 10]
    with (home / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["text"], row["length"]) for row in rows] == [
        (f"text {i}", "6") for i in range(ROWS)
    ]


def test_parts_that_are_done_are_not_answered_again(table, home):
    answered: list[str] = []

    def answer(texts):
        answered.extend(texts)
        return lengths(texts)

    def answer_until_stopped(texts):
        if len(answered) == 6:
            raise KeyboardInterrupt
        return answer(texts)

    log = Log()
    with pytest.raises(KeyboardInterrupt):
        answers(table, home, log=log).write(answer_until_stopped, width=1)
    assert log.messages == ["note: the same command with --resume continues this job."]
    assert partial_folder(home / "out.csv").exists()
    answers(table, home, resume=True).write(answer, width=1)
    assert answered == [f"text {i}" for i in range(ROWS)]


def test_the_rows_are_reported(home):
    (home / "in.csv").write_text("text\na\n \nb,c\n\n")
    table, log = InputTable("in.csv", FileFormat()), Log()
    written = answers(table, home, log=log)
    written.write(lengths, width=1)
    written.report(home / "out.csv")
    assert log.messages == [
        "note: in.csv: 1 blank line skipped (the first: in.csv:5).",
        "note: 1 text is blank and got an empty answer.",
        "note: 1 row could not be read and got an empty answer (the first: in.csv:4: expected 1 "
        "columns, got 2; put cells that contain the delimiter in quotes).",
        f"3 rows written to {home / 'out.csv'}",
    ]
