import doctest

from textrnn.messages import wording
from textrnn.messages.wording import counted, listed, quoted


def test_the_examples_of_the_docstrings():
    assert doctest.testmod(wording).failed == 0


def test_one_is_singular():
    assert counted(1, "text") == "1 text"
    assert counted(0, "text") == "0 texts"
    assert counted(1, "batch", "batches") == "1 batch"
    assert counted(1234, "batch", "batches") == "1,234 batches"


def test_as_many_names_as_fit_are_listed():
    assert listed(["a", "b", "c"], most=3) == "a, b, c"
    assert listed(["a", "b", "c"], most=2) == "a, b and 1 more"
    assert listed([]) == ""


def test_names_are_quoted_on_one_line():
    assert quoted(["a", "b\nc", "\0"]) == "'a', 'b\\nc', '\\x00'"
    assert quoted(["x" * 50]) == repr("x" * 30)
    assert quoted(iter(())) == "none"
