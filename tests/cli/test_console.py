"""Tables in the narrow terminal that is the default, and names that are no Unicode."""

import io
import re

import pytest
from rich.console import Console
from rich.table import Table

from textrnn.cli.console import fits, print_any_name, print_table


def printed(table: Table, width: int) -> str:
    output = io.StringIO()
    print_table(Console(file=output, width=width, highlight=False), table)
    text = output.getvalue()
    assert max(map(len, text.splitlines())) <= width
    return text


def a_table(*, names: int = 1) -> Table:
    """A table such as that of `textrnn export`."""
    table = Table("file", "T", "form", "MB", "ms a text", "drift", "accuracy", "result")
    for i in range(names):
        row = ("256", "while", "0.02", "12.00", "6.0e-08", "0.8333", "verified")
        table.add_row(f"model_dynamic_int{i}", *row)
    return table


def test_a_table_with_room_has_its_lines():
    assert "┃ file" in printed(a_table(), 120)


def test_in_a_narrow_terminal_every_cell_is_whole():
    text = printed(a_table(), 80)
    assert "…" not in text
    *_, last, _ = text.splitlines()
    assert " ".join(last.split()) == (
        "model_dynamic_int0 256 while 0.02 12.00 6.0e-08 0.8333 verified"
    )


@pytest.mark.parametrize("width", [30, 40, 60])
def test_nothing_is_cut_off(width):
    text = printed(a_table(), width)
    assert "…" not in text
    letters = [sorted(re.sub(r"\W", "", part)) for part in (text, printed(a_table(), 200))]
    assert letters[0] == letters[1]


def test_whether_a_table_fits():
    assert fits(Console(width=120), a_table())
    assert not fits(Console(width=80), a_table())


@pytest.mark.parametrize(
    ("encoding", "content"),
    [("utf-8", b"run/\xff \xc3\xa4"), ("ascii", b"run/\\udcff \\xe4")],
)
def test_a_name_that_is_no_unicode_is_printed(monkeypatch, encoding, content):
    output = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(output, encoding=encoding))
    print_any_name()
    print("run/\udcff ä", end="", flush=True)
    assert output.getvalue() == content
