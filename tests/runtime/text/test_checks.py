import numpy as np
import pytest

from textrnn.runtime.text.checks import as_text, as_texts


class Table:
    columns = ("text",)


@pytest.mark.parametrize("texts", [["a", "b"], ("a", "b"), np.array(["a", "b"]), iter("ab")])
def test_any_iterable_of_strings_is_a_list_of_texts(texts):
    assert as_texts(texts, call="predict") == ["a", "b"]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("one", r"got one text: predict\(\['one'\]\)"),
        (b"one", r"got one text: predict\(\[b'one'\]\)"),
        ({"a", "b"}, "got a set, which has no order"),
        (
            {"text": ["a"]},
            r"got a dict; pass one column of it, such as predict\(table\[\"text\"\]\)",
        ),
        (Table(), "got a Table; pass one column"),
        (5, "must be a list of texts, got 5"),
        (
            ["a", float("nan")],
            r"must hold strings only, got nan \(float\) at place 1; leave missing",
        ),
        ([None], r"got None \(NoneType\) at place 0"),
    ],
)
def test_anything_else_is_refused(texts, message):
    with pytest.raises(TypeError, match=message):
        as_texts(texts, call="predict")


def test_one_text_is_a_string():
    assert as_text("a", call="explain") == "a"
    with pytest.raises(TypeError, match=r"got \['a'\] \(list\); explain takes one text"):
        as_text(["a"], call="explain")
