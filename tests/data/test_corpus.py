import pytest

from textrnn.data.corpus import Split, normal_form


def test_a_split_has_one_item_of_labels_per_text():
    with pytest.raises(ValueError, match="`labels` must have one item per text, 1, got 0"):
        Split(["a"], [])


def test_rows_are_taken_in_the_given_order():
    split = Split(["a", "b", "c"], [("x",), (), ("y",)])
    assert split.take([2, 0]) == Split(["c", "a"], [("y",), ("x",)])
    assert len(split) == 3


def test_case_and_white_space_do_not_distinguish_texts():
    assert normal_form("  Straße\n1 ") == normal_form("STRASSE 1") != normal_form("strasse1")
