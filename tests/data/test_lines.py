import pytest

from textrnn.data.lines import NumberedLines

LINES = ["one\n", "two\n", "three"]


def test_lines_are_numbered_from_one():
    lines = NumberedLines(LINES)
    assert [(line, lines.number) for line in lines] == [("one\n", 1), ("two\n", 2), ("three", 3)]


def test_lines_that_are_pushed_back_come_again():
    lines = NumberedLines(LINES)
    next(lines)
    lines.begin_row()
    next(lines), next(lines)
    lines.push_back(1)
    assert (lines.taken, lines.number) == (["two\n"], 2)
    assert next(lines) == "three"
    with pytest.raises(StopIteration):
        next(lines)


def test_the_head_is_not_consumed():
    lines = NumberedLines(LINES)
    assert lines.head(2) == ["one\n", "two\n"]
    assert lines.head(9) == LINES
    assert list(lines) == LINES


def test_each_byte_order_mark_is_removed():
    assert list(NumberedLines(["\ufeffa\n", "\ufeffb\n"])) == ["a\n", "b\n"]
