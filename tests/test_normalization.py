import unicodedata

import pytest
import sentencepiece

from textrnn.normalization import LINE_BREAKS, normalizer


def normalize(text: str, *, lowercase: bool = True) -> str:
    return normalizer(lowercase=lowercase, word_prefix=False).normalize(text).replace("▁", " ")


@pytest.mark.parametrize(("lowercase", "builtin"), [(True, "nmt_nfkc_cf"), (False, "nmt_nfkc")])
def test_every_character_is_treated_as_by_the_builtin_rules(lowercase, builtin):
    reference = sentencepiece.SentencePieceNormalizer(
        rule_name=builtin,
        add_dummy_prefix=False,
        remove_extra_whitespaces=True,
        escape_whitespaces=True,
    )
    ours = normalizer(lowercase=lowercase, word_prefix=False)
    blocks = [(0, 0x3400), (0xA640, 0xAC20), (0xF900, 0x11000), (0x1D400, 0x1D800)]
    for start, end in blocks:
        for text in (f"a{chr(code)}b" for code in range(start, end)):
            assert ours.normalize(text) == reference.normalize(text)


@pytest.mark.parametrize("tag", LINE_BREAKS)
def test_html_line_breaks_become_one_space(tag):
    assert normalize(f"one{tag}two {tag}{tag} three") == "one two three"


def test_there_is_a_line_break_for_each_form_and_case():
    assert len(set(LINE_BREAKS)) == 12
    assert {"<br>", "<br/>", "<br />", "<BR />", "<Br>", "<bR/>"} <= set(LINE_BREAKS)


@pytest.mark.parametrize("text", ["<b>", "<bro>", "< br>", "<br", "a < b", "&lt;br&gt;"])
def test_what_only_resembles_a_line_break_stays(text):
    assert normalize(text) == text


def test_case_is_folded_only_where_wished():
    assert normalize("Ärger ÉTÉ ЖЯ <BR>I") == "ärger été жя i"
    assert normalize("Ärger ÉTÉ ЖЯ <BR>I", lowercase=False) == "Ärger ÉTÉ ЖЯ I"


def test_composed_and_decomposed_forms_are_one():
    text = "Ångström, façade, ガ, 한"
    assert normalize(unicodedata.normalize("NFD", text)) == normalize(text)


def test_compatible_forms_are_one():
    assert normalize("ﬁne ①２ ℃") == "fine 12 °c"


def test_white_space_is_unified_and_controls_vanish():
    assert normalize(" \t one\u00a0\u3000two\r\nthree\u200b ") == "one two three"
    assert normalize("o\x01n\x7fe") == "one"


def test_a_word_prefix_stands_only_before_a_text():
    assert normalizer(lowercase=True).normalize("one two") == "▁one▁two"
    assert normalizer(lowercase=True).normalize(" <br> ") == ""


def test_compiling_the_rules_prints_nothing(capfd):
    normalizer.cache_clear()
    normalizer(lowercase=True)
    assert capfd.readouterr() == ("", "")
