"""The rules that bring every text into one form before it is cut into pieces.

They are SentencePiece's own table and one addition:

    NFKC           compatible forms become one: "ﬁ" -> "fi", "e" + U+0301 -> "é", "①" -> "1"
    case folding   "ÉTÉ" -> "été" (with `lowercase`); "ß" stays
    white space    tabs, line feeds, no-break and zero-width spaces -> U+0020; runs become one
    controls       the control characters of ASCII, U+008F and U+009F vanish; U+FFFD -> U+0020
    line breaks    the HTML tags <br>, <br/> and <br />, in any case -> U+0020

The table is compiled into the model file, so whatever reads that file (TF Text's
`SentencepieceTokenizer`, the C++ library) normalises alike, with no Python before it. U+0000
cannot be a key of the compiled table and passes unchanged.

With `plain` there is no table of Unicode's; the rules are those that a graph can follow by
operations on bytes:

    case           the letters A-Z become a-z (with `lowercase`)
    white space    Unicode's white space, ASCII's control characters, U+FFFD and U+2581 -> U+0020;
                   runs become one
    line breaks    as above

and U+0000, which no rule can name, passes here too. For words, by either set of rules, each
character of ASCII's punctuation stands alone, between spaces.

Source: Kudo & Richardson 2018, "SentencePiece", section 3.4 (arXiv:1808.06226); Unicode Standard
Annex 15 (NFKC).
"""

from __future__ import annotations

import functools
import re
import string

import sentencepiece

__all__ = ["LINE_BREAKS", "PLAIN_SPACES", "PUNCTUATION", "normalizer"]

LINE_BREAKS = tuple(
    f"<{b}{r}{end}" for b in "bB" for r in "rR" for end in (">", "/>", " />")
)  # fmt: skip

PLAIN_SPACES = (
    *map(chr, (*range(1, 32), 0x7F, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B))),
    *"\u2028\u2029\u202f\u205f\u3000\ufffd\u2581",
)
"""What `plain` takes for a space; U+2581 is SentencePiece's own mark of one."""

PUNCTUATION = tuple(string.punctuation)
"""What stands alone among words."""

_MARK = re.compile(f"([{re.escape(''.join(PUNCTUATION))}])")


@functools.cache
def normalizer(
    *, lowercase: bool, word_prefix: bool = True, plain: bool = False, words: bool = False
) -> sentencepiece.SentencePieceNormalizer:
    """Compiles the rules.

    Args:
        lowercase: Fold upper and lower case together.
        word_prefix: Put a space before the text, so that its first word is spelt like the others.
        plain: Follow the plain rules.
        words: Set ASCII punctuation apart.

    Returns:
        The normalizer, to be trained into a model; its `normalize(text)` writes U+2581 for a space.
    """
    # The compiler of the table logs to stderr at level 0; this level is the library's only switch.
    sentencepiece.set_min_log_level(2)
    if plain:
        rules = [(space, " ") for space in PLAIN_SPACES]
        if lowercase:
            rules += zip(string.ascii_uppercase, string.ascii_lowercase, strict=True)
    else:
        name = "nmt_nfkc_cf" if lowercase else "nmt_nfkc"
        rules = sentencepiece.SentencePieceNormalizer(rule_name=name).decompile()
    rules += [(tag, " ") for tag in LINE_BREAKS]
    if words:
        known = {key for key, _ in rules}
        rules += [(mark, mark) for mark in PUNCTUATION if mark not in known]
        rules = [(key, _set_apart(value)) for key, value in rules]
    return sentencepiece.SentencePieceNormalizer(
        norm_map=rules,
        add_dummy_prefix=word_prefix,
        remove_extra_whitespaces=True,
        escape_whitespaces=True,
    )


def _set_apart(value: str) -> str:
    """What a rule gives, its punctuation between spaces.

    It is not read again: the "!" of a full-width one is set apart here, and runs of spaces within
    it would stay runs.
    """
    return re.sub(" +", " ", _MARK.sub(r" \1 ", value))
