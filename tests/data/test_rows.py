"""From rows to a split: labels, bad rows, empty texts."""

import pytest

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data.corpus import Split
from textrnn.data.rows import Row, SplitBuilder
from textrnn.errors import DataError


def make(*rows, known=None, keep_blank=True, **settings):
    notices: list[str] = []
    builder = SplitBuilder(
        ClassifierRunConfig.of(**settings),
        where="f",
        notices=notices,
        known=known,
        keep_blank=keep_blank,
    )
    split = builder.build(
        row if isinstance(row, Row) else Row(f"f:{line}", *row)
        for line, row in enumerate(rows, start=2)
    )
    return split, notices


def test_texts_are_kept_and_labels_stripped():
    split, notices = make((" a\n", " pos "), ("", "neg"))
    assert split == Split([" a\n", ""], [("pos",), ("neg",)])
    assert notices == []


@pytest.mark.parametrize(
    ("value", "label"), [("a", "a"), (3, "3"), (-1, "-1"), (True, "true"), (False, "false")]
)
def test_labels_may_be_strings_integers_and_booleans(value, label):
    assert make(("x", value))[0].labels == [(label,)]


@pytest.mark.parametrize(
    ("value", "labels"),
    [
        ("a; b", ("a", "b")),
        ("", ()),
        (" ; ", ()),
        (None, ()),
        ([], ()),
        (["a;b", 1, True], ("a;b", "1", "true")),
        ("a;a;b", ("a", "b")),
        (2, ("2",)),
    ],
)
def test_multi_label_rows_have_any_number_of_labels(value, labels):
    split, _ = make(("x", value), multi_label=True, label_separator=";")
    assert split.labels == [labels]


@pytest.mark.parametrize(
    ("text", "label", "message"),
    [
        ("x", "", "f:2: expected a label, got none"),
        ("x", None, "f:2: expected a label, got none"),
        ("x", 1.5, "f:2: expected a string, an integer or a boolean as label, got 1.5"),
        ("x", ["a"], 'f:2: expected one label, got \\["a"\\]; set `multi_label=True`'),
        ("x", "a\nb", "f:2: expected a label on one line"),
        ("x", "\udca3", "f:2: expected utf-8 text, got the byte 0xa3"),
        ("\udca3", "a", "f:2: expected utf-8 text, got the byte 0xa3; save the file as utf-8"),
        ("\ud83d", "a", "f:2: expected Unicode text, got the lone surrogate U\\+D83D"),
        (5, "a", "f:2: expected a string as text, got 5"),
        ("x", "new", "f:2: expected a label of the training data \\(a, b\\), got 'new'"),
    ],
)
def test_bad_row_stops_or_is_counted_and_skipped(text, label, message):
    rows = [(text, label), ("good", "a")]
    with pytest.raises(DataError, match=message) as caught:
        make(*rows, known=("a", "b"))
    assert len(str(caught.value).splitlines()) == 1
    split, notices = make(*rows, known=("a", "b"), skip_bad_rows=True)
    assert split.texts == ["good"]
    assert "1 bad row left out" in notices[0]


def test_row_with_a_problem_is_bad():
    with pytest.raises(DataError, match=r"^f:9: broken, or set `skip_bad_rows=True`\.$"):
        make(Row("f:9", problem="broken"))


def test_one_and_true_stay_two_labels():
    assert make(("x", 1), ("y", True), ("z", "1"))[0].labels == [("1",), ("true",), ("1",)]


def test_blank_texts_are_left_out_of_training_and_counted():
    split, notices = make(("a", "x"), ("", "x"), (" \n", "y"), keep_blank=False)
    assert split.texts == ["a"]
    assert notices == ["f: 2 rows with an empty text left out."]


def test_blank_text_with_a_bad_label_is_still_bad():
    with pytest.raises(DataError, match="expected a label"):
        make(("", ""), keep_blank=False)


@pytest.mark.parametrize(
    ("rows", "left_out"),
    [
        ([("", "a")], "1 row left out because of an empty text"),
        ([], "0 rows left out"),
        (
            [("x", "new"), ("y", ""), (" ", "a")],
            "3 rows left out, the first: f:2: expected a label of the training data (a), got 'new'",
        ),
    ],
)
def test_no_row_left_is_an_error_that_says_why(rows, left_out):
    with pytest.raises(DataError) as caught:
        make(*rows, known=("a",), keep_blank=False, skip_bad_rows=True)
    assert str(caught.value).startswith(f"f: expected texts with labels, got none ({left_out}")


def test_unknown_labels_that_are_skipped_are_told():
    rows = [("a", "x")] * 15 + [("b", "new")] * 5 + [("\udca3", "x")]
    split, (bad, unknown) = make(*rows, known=("x", "y"), skip_bad_rows=True)
    assert len(split) == 15
    assert "6 bad rows, 29% of all, left out (the first: f:" in bad
    assert "5 of these have a label that the training data does not have" in unknown


def test_rows_of_another_encoding_are_not_suggested_to_be_skipped():
    with pytest.raises(DataError, match="0xa3") as caught:
        make(("\udca3", "x"))
    assert "skip_bad_rows" not in str(caught.value)
