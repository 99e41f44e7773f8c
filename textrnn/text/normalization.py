"""The rules that bring every text into one form before it is split into pieces.

They are the table that SentencePiece ships, with one addition:

    NFKC           compatible forms become one: "ﬁ" -> "fi", "e" + U+0301 -> "é", "①" -> "1"
    case folding   "ÉTÉ" -> "été" (with `lowercase`); "ß" stays
    white space    tabs, line feeds, no-break and zero-width spaces -> U+0020; runs become one
    controls       the control characters of ASCII, U+008F and U+009F vanish; U+FFFD -> U+0020
    line breaks    the HTML tags <br>, <br/> and <br />, in any case -> U+0020

The table is compiled into the model file. Every reader of that file (TF Text's
`SentencepieceTokenizer`, the C++ library) therefore normalises in the same way, without Python.
U+0000 cannot be a key of the compiled table and passes unchanged.

With `plain` the rules do not use Unicode's table, and a graph can follow them by operations on
bytes:

    case           the letters A-Z become a-z (with `lowercase`)
    white space    Unicode's white space, ASCII's control characters, U+FFFD and U+2581 -> U+0020;
                   runs become one
    line breaks    as above

U+0000 passes here too, because no rule can name it. For word pieces, both sets of rules put spaces
around each punctuation character of ASCII.

Source: Kudo & Richardson 2018, "SentencePiece", section 3.4 (arXiv:1808.06226); Unicode Standard
Annex 15 (NFKC).
"""

from __future__ import annotations

import functools
import re
import string

import sentencepiece

from textrnn.config.tokenizer import TokenizerConfig

__all__ = ["LINE_BREAKS", "PLAIN_SPACES", "PUNCTUATION", "configured_normalizer", "normalizer"]

LINE_BREAKS = tuple(
    f"<{b}{r}{end}" for b in "bB" for r in "rR" for end in (">", "/>", " />")
)  # fmt: skip

PLAIN_SPACES = (
    *map(chr, (*range(1, 32), 0x7F, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B))),
    *"\u2028\u2029\u202f\u205f\u3000\ufffd\u2581",
)
"""The characters that `plain` replaces by a space; U+2581 is SentencePiece's mark for a space."""

PUNCTUATION = tuple(string.punctuation)
"""The characters that word pieces separate from words."""

_MARK = re.compile(f"([{re.escape(''.join(PUNCTUATION))}])")


def configured_normalizer(config: TokenizerConfig) -> sentencepiece.SentencePieceNormalizer:
    """Compiles the rules that the settings of a tokenizer ask for."""
    return normalizer(
        lowercase=config.lowercase,
        word_prefix=config.piece_type != "byte",
        plain=config.normalization == "plain",
        words=config.piece_type == "word",
    )


@functools.cache
def normalizer(
    *, lowercase: bool, word_prefix: bool = True, plain: bool = False, words: bool = False
) -> sentencepiece.SentencePieceNormalizer:
    """Compiles the rules.

    >>> normalizer(lowercase=True).normalize("ÉTÉ<br />①")
    '▁été▁1'

    Args:
        lowercase: Whether upper case becomes lower case.
        word_prefix: Whether to put a space before the text, so that its first word has the same
            spelling as the others.
        plain: Whether to follow the plain rules.
        words: Whether to put spaces around ASCII punctuation.

    Returns:
        The normalizer, which becomes part of the model; its `normalize(text)` writes U+2581 for a
        space.
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
        rules = [(key, _separate_punctuation(value)) for key, value in rules]
    return sentencepiece.SentencePieceNormalizer(
        norm_map=rules,
        add_dummy_prefix=word_prefix,
        remove_extra_whitespaces=True,
        escape_whitespaces=True,
    )


def _separate_punctuation(value: str) -> str:
    """Puts spaces around the punctuation that a rule writes.

    The rules are not applied to their own output. So the "!" that replaces a full-width one is
    separated here, and so are runs of spaces reduced to one.
    """
    return re.sub(" +", " ", _MARK.sub(r" \1 ", value))
