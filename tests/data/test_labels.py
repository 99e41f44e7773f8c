"""Label cells in all their forms."""

import pytest

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data.labels import LabelReader, RowError, as_json, check_unicode, label_key


def read(value, known=None, **settings):
    return LabelReader(ClassifierRunConfig.of(**settings), known).read(value)


@pytest.mark.parametrize(
    "value",
    [
        "a,b",
        " a , b ",
        "['a', 'b']",
        '["a", "b"]',
        "('a', 'b')",
        "['a' 'b']",
        "array(['a', 'b'], dtype=object)",
        '{"a": 1, "c": 0, "b": 1}',
        ["a", "b"],
        ("a", "b"),
        {"b", "a"},
    ],
)
def test_several_labels_have_many_forms(value):
    assert read(value, multi_label=True) == ("a", "b")


@pytest.mark.parametrize("value", ["0,1,1", "[0, 1, 1]", "011", "0 1 1", [0, 1, 1]])
def test_vectors_name_the_labels_by_position(value):
    assert read(value, multi_label=True, label_names="x,y,z") == ("y", "z")


def test_flags_name_the_columns():
    flags = {"fun": "1", "sad": "0", "odd": "TRUE"}
    settings = {"multi_label": True, "label_columns": "fun,sad,odd"}
    assert read(flags, **settings) == ("fun", "odd")
    with pytest.raises(RowError, match="expected 0 or 1 for the label 'sad', got \"2\""):
        read({**flags, "sad": "2"}, **settings)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", "expected a label, got none; fill it in"),
        ("NaN", "expected a label, got NaN, which means a missing value"),
        ("['a', 'b']", r"expected one label, got .*; set `multi_label=True`"),
        (1.5, "expected a string, an integer or a boolean as label, got 1.5"),
        ("a\nb", "expected a label on one line"),
    ],
)
def test_a_cell_that_is_not_one_label_says_why(value, message):
    with pytest.raises(RowError, match=message):
        read(value)


def test_an_unknown_label_lists_the_known_ones():
    known = [f"label {n}" for n in range(12)]
    with pytest.raises(RowError, match=r"label 9 and 2 more\), got 'x'; correct it"):
        read("x", known)
    with pytest.raises(RowError, match=r"\(a\), got 'é' \('\\xe9'\)"):
        read("é", ["a"])


def test_a_known_label_is_found_in_any_spelling_that_looks_alike():
    assert read("cafe\u0301", ["café"]) == ("café",)
    assert read("1.0", ["1"]) == ("1",)


@pytest.mark.parametrize(
    ("first", "second"),
    [("1", "1.0"), ("-0", "0"), ("new  york", "new york"), ("e\u0301", "é"), ("a\u200bb", "ab")],
)
def test_spellings_that_look_alike_have_one_key(first, second):
    assert label_key(first) == label_key(second)


def test_spellings_are_remembered():
    reader = LabelReader(ClassifierRunConfig())
    for value in ("e\u0301", "é"):
        reader.read(value)
    assert reader.spellings == {"é": {"e\u0301", "é"}}


def test_bytes_of_another_encoding_are_named():
    check_unicode("é", "utf-8")
    with pytest.raises(RowError, match="expected utf-8 text, got the byte 0xe9"):
        check_unicode("\udce9", "utf-8")
    with pytest.raises(RowError, match=r"got the lone surrogate U\+D83D"):
        check_unicode("\ud83d", "utf-8")


def test_values_are_short_json():
    assert as_json(["a", None]) == '["a", null]'
    assert len(as_json("x" * 100)) == 40
