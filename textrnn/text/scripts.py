"""Scripts that put no spaces between words, and how many words a text has all the same.

The scripts are those of Unicode Standard Annex 14's line-breaking classes ID and CJ (Han, kana,
Bopomofo), SA (Thai, Lao, Khmer, Myanmar, Tai Le, New Tai Lue, Tai Tham, Tai Viet), and Tibetan,
Balinese and Javanese, which put marks or nothing between words. Hangul is of none of these: Korean
has spaces. Annex 29, section 4, says of the same scripts that their words cannot be found by rule.

Four corpora of Chinese that people cut into words have 1.5 to 1.7 characters a word (Emerson 2005,
"The Second International Chinese Word Segmentation Bakeoff"): 1.6 here, for kana too, whose words
are longer. 5 for the other scripts, vowel signs and tone marks included, is a rule of thumb.
"""

from __future__ import annotations

import re

__all__ = ["SENTENCE_END", "UNSPACED", "count_unspaced_words", "count_words"]

_DENSE = (
    "\u2e80-\u2fd5\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303b\u3041-\u30ff\u3105-\u312f"
    "\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"
    "\U00016ff0-\U0001b2fb\U00020000-\U000323af"
)
"""Han, Hiragana, Katakana, Bopomofo, and Tangut, Khitan and Nushu beside them."""

_LOOSE = (
    "\u0e01-\u0efe\u0f00-\u0fff\u1000-\u109f\u1780-\u17f9\u1950-\u19ff\u1a20-\u1aad\u1b00-\u1b7e"
    "\ua980-\ua9fe\uaa60-\uaadf"
)
"""Thai, Lao, Tibetan, Myanmar, Khmer, the Tai scripts, Balinese, Javanese."""

_CHARS_A_WORD = {re.compile(f"[{_DENSE}]"): 1.6, re.compile(f"[{_LOOSE}]"): 5.0}

UNSPACED = re.compile(f"[{_DENSE}{_LOOSE}]")
"""A character of a script that puts no spaces between words."""

_CLOSERS = "\"'”’)\\]」』》】）"  # noqa: RUF001
SENTENCE_END = re.compile(
    rf"[.!?…؟۔।॥]+[{_CLOSERS}]*\s|"  # noqa: RUF001
    rf"[。！？｡။។།]+[{_CLOSERS}]*(?:\s|(?=[^\s。！？｡။។།{_CLOSERS}]))|"  # noqa: RUF001
    rf"[!?]+[{_CLOSERS}]*(?={UNSPACED.pattern})|\n"
)
"""The end of a sentence: a full stop, question or exclamation mark before white space, a full-width
one (of Khmer, Myanmar and Tibetan too), "!" or "?" before a script without spaces, or a line feed.

Quotes and brackets that close behind it belong to it. What follows must be known, so that the ends
do not depend on how a text arrives.
"""

_WORD = re.compile(r"\w\S*")


def count_unspaced_words(text: str) -> float:
    """About how many words of a text are written in scripts without spaces."""
    if text.isascii():
        return 0.0
    return sum(len(each.findall(text)) / chars for each, chars in _CHARS_A_WORD.items())


def count_words(text: str) -> float:
    """About how many words a text has: what stands between spaces, and what needs none."""
    unspaced = count_unspaced_words(text)
    if not unspaced:
        return len(text.split())
    return unspaced + len(_WORD.findall(UNSPACED.sub(" ", text)))
