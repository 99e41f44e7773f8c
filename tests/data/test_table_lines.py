import pytest

from textrnn.data.table_lines import LineSplitter

SPLIT = LineSplitter(",")


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ('"a, ""b""",c\n', ['a, "b"', "c"]),
        ('"a" b,c\n', ['"a" b', "c"]),
        ("\n", []),
    ],
)
def test_lines_follow_the_standard_or_are_read_literally(line, cells):
    assert SPLIT.standard(line) == cells


def test_a_quote_is_a_character_except_around_a_cell():
    assert SPLIT.literal('"a, "b"\n') == ['"a', ' "b"']
    assert SPLIT.literal('"say ""hi""","x\n') == ['say "hi"', '"x']


def test_backslashes_before_quotes_are_removed():
    assert SPLIT.backslashes(r'"a \"b\", c",d') == ['a "b", c', "d"]
    assert SPLIT.backslashes('"never closed') == []
    assert SPLIT.backslashes('"a" b,c') == []


def test_spaces_before_quotes_are_removed():
    assert SPLIT.spaced_quotes('x, "a, b"\n') == ["x", "a, b"]
    assert SPLIT.spaced_quotes('x,"a, b"\n') == []
    assert SPLIT.spaced_quotes('x, "a\n') == []
