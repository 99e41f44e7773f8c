import pytest

from textrnn.analysis.data_check.damage import check_damage


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("caf\ufffd", "replacement_characters"),
        ("café".encode().decode("latin-1"), "double_encoding"),
        ("it’s".encode().decode("cp1252"), "double_encoding"),
        ("a\x07b", "control_characters"),
        ("a<br />b", "markup"),
        ("a &amp; b", "markup"),
    ],
)
def test_damage_is_named_with_its_row(split_of, text, kind):
    (finding,) = check_damage(split_of([("fine", "x"), (text, "y")]))
    assert (finding.kind, finding.rows) == (kind, (2,))


@pytest.mark.parametrize("text", ["café, naïve, Ärger", "a < b > c", "R&D; AT&T", "Ã", "tab\there"])
def test_ordinary_texts_are_not_damaged(split_of, text):
    assert list(check_damage(split_of([(text, "x")]))) == []
