from pathlib import Path

import pytest

from textrnn.data.columns import Column
from textrnn.data.delimiters import find_delimiter, header_names
from textrnn.data.lines import NumberedLines

COLUMNS = [Column("text", "text_column"), Column("label", "label_column")]


def find(*lines, name="a.csv", given=None):
    notices: list[str] = []
    numbered = NumberedLines(lines)
    delimiter = find_delimiter(numbered, Path(name), given=given, columns=COLUMNS, notices=notices)
    return delimiter, notices, next(numbered, None)


@pytest.mark.parametrize("name", ["a.csv", "a.CSV.gz", "a.dat"])
def test_a_comma_is_usual(name):
    assert find("text,label\n", name=name) == (",", [], "text,label\n")


def test_a_tab_is_usual_in_tsv():
    assert find("text\tlabel\n", name="a.tsv") == ("\t", [], "text\tlabel\n")


@pytest.mark.parametrize(("delimiter", "name"), [(";", "';'"), ("\t", "a tab"), ("|", "'|'")])
def test_another_delimiter_is_found_and_reported(delimiter, name):
    delimiter_found, notices, _ = find(f"text{delimiter}label\n")
    assert delimiter_found == delimiter
    assert notices == [f"a.csv: read with {name} between the columns; `delimiter` changes that."]


def test_a_declaration_counts_and_is_read():
    delimiter, notices, line = find("sep=:\r\n", "text:label\n")
    assert (delimiter, line) == (":", "text:label\n")
    assert "read with ':' between" in notices[0]


def test_the_user_s_delimiter_counts_most():
    assert find("sep=;\n", "text;label\n", given=",") == (",", [], "text;label\n")


def test_without_the_columns_the_most_columns_count():
    assert find("a;b;c,d\n")[0] == ";"
    assert find("")[0] == find()[0] == ","


def test_names_have_no_marks_around_them():
    assert header_names(["\ufeffid", " text\t", "label\r\n"]) == ["id", "text", "label"]
