import re
import string
import unicodedata

import pytest
import sentencepiece
from hypothesis import given
from hypothesis import strategies as st
from random_examples import examples

from textrnn.text.normalization import LINE_BREAKS, PLAIN_SPACES, PUNCTUATION, normalizer


def normalize(
    text: str, *, lowercase: bool = True, plain: bool = False, words: bool = False
) -> str:
    rules = normalizer(lowercase=lowercase, word_prefix=False, plain=plain, words=words)
    return rules.normalize(text).replace("▁", " ")


@pytest.mark.thorough
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


@pytest.mark.thorough
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


# Plain


def test_plain_rules_leave_all_other_characters_as_they_are():
    changed = {*PLAIN_SPACES, " ", *string.ascii_uppercase}
    for block in [(0, 0x3400), (0xA640, 0xAC20), (0xF900, 0x11000), (0x1D400, 0x1D800)]:
        unchanged = [c for c in map(chr, range(*block)) if c not in changed]
        assert normalize("".join(unchanged), plain=True) == "".join(unchanged)


def test_plain_spaces_are_unicodes_white_space_and_asciis_controls():
    controls = {*map(chr, range(1, 32)), "\x7f"}
    white = {c for c in map(chr, range(0x110000)) if c.isspace()}
    assert set(PLAIN_SPACES) == (controls | white | {"\ufffd", "▁"}) - {" "}
    for space in PLAIN_SPACES:
        assert normalize(f"{space}a{space} {space}b{space}", plain=True) == "a b"


@pytest.mark.thorough
@pytest.mark.parametrize("words", [False, True])
@pytest.mark.parametrize("tag", LINE_BREAKS)
def test_line_breaks_become_one_space_by_every_set_of_rules(tag, words):
    for plain in (False, True):
        assert normalize(f"a{tag}b {tag}{tag} c", plain=plain, words=words) == "a b c"


def test_plain_case_is_asciis():
    text = "ABCXYZ ÉÀ ẞ \u212a İ"
    assert normalize(text, plain=True) == "abcxyz ÉÀ ẞ \u212a İ"
    assert normalize(text, plain=True, lowercase=False) == text


def test_plain_rules_let_nul_and_composed_forms_pass():
    text = "a\0b \0 e\u0301 ﬁ \uff21\u200b"
    assert normalize(text, plain=True) == text


@given(text=st.text(max_size=40))
@examples(100)
def test_plain_rules_are_what_python_says(text):
    spaced = re.sub("<[bB][rR](>|/>| />)", " ", text)
    spaced = re.sub(f"[{re.escape(''.join(PLAIN_SPACES))}]", " ", spaced)
    lowered = "".join(c.lower() if c.isascii() else c for c in spaced)
    apart = re.sub(f"([{re.escape(string.punctuation)}])", r" \1 ", lowered)
    for words, expected in [(False, lowered), (True, apart)]:
        assert normalize(text, plain=True, words=words) == re.sub(" +", " ", expected).strip(" ")


# Words


@pytest.mark.parametrize("plain", [False, True])
def test_each_mark_of_punctuation_is_a_word(plain):
    assert normalize("great.It's (a)...", plain=plain, words=True) == "great . it ' s ( a ) . . ."
    for mark in PUNCTUATION:
        assert normalize(f"a{mark}b", plain=plain, words=True) == f"a {mark} b"


def test_punctuation_that_a_rule_gives_is_a_word_too():
    assert normalize("great\uff01 fine… ⑴ a≠b", words=True) == "great ! fine . . . ( 1 ) a≠b"
    assert normalize("great\uff01 fine…", plain=True, words=True) == "great\uff01 fine…"


@pytest.mark.parametrize("plain", [False, True])
def test_rules_for_words_are_done_after_one_reading(plain):
    for text in (f"a{chr(code)}b" for code in [*range(1, 0x3400), *range(0xF900, 0x10000)]):
        once = normalize(text, plain=plain, words=True)
        assert not re.search(f"[{re.escape(string.punctuation)}](?! |$)|  ", once)


# The prefix


def test_a_word_prefix_stands_only_before_a_text():
    assert normalizer(lowercase=True).normalize("one two") == "▁one▁two"
    assert normalizer(lowercase=True).normalize(" <br> ") == ""


@pytest.mark.thorough
def test_compiling_the_rules_prints_nothing(capfd):
    normalizer.cache_clear()
    normalizer(lowercase=True)
    assert capfd.readouterr() == ("", "")
