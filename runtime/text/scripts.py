"""Scripts without spaces between words, and the number of words in a text of any script.

The scripts are those of Unicode Standard Annex 14's line-breaking classes ID and CJ (Han, kana,
Bopomofo), SA (Thai, Lao, Khmer, Myanmar, Tai Le, New Tai Lue, Tai Tham, Tai Viet), and Tibetan,
Balinese and Javanese, which put marks or nothing between words. Hangul is not among them, since
Korean has spaces. Annex 29, section 4, says that rules cannot find the words of these scripts.

Four corpora of Chinese that people have segmented into words have 1.5 to 1.7 characters per word
(Emerson 2005, "The Second International Chinese Word Segmentation Bakeoff"). This module takes 1.6,
also for kana, whose words are longer. For the other scripts it takes 5, vowel signs and tone marks
included, as a rule of thumb.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = [
    "SENTENCE_END",
    "UNSPACED",
    "count_unspaced_words",
    "count_words",
    "unsegmented_share",
]

_DENSE = (
    "\u2e80-\u2fd5\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303b\u3041-\u30ff\u3105-\u312f"
    "\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"
    "\U00016ff0-\U0001b2fb\U00020000-\U000323af"
)
"""Han, Hiragana, Katakana, Bopomofo, Tangut, Khitan and Nushu."""

_LOOSE = (
    "\u0e01-\u0efe\u0f00-\u0fff\u1000-\u109f\u1780-\u17f9\u1950-\u19ff\u1a20-\u1aad\u1b00-\u1b7e"
    "\ua980-\ua9fe\uaa60-\uaadf"
)
"""Thai, Lao, Tibetan, Myanmar, Khmer, the Tai scripts, Balinese, Javanese."""

_CHARS_PER_WORD = {re.compile(f"[{_DENSE}]"): 1.6, re.compile(f"[{_LOOSE}]"): 5.0}

UNSPACED = re.compile(f"[{_DENSE}{_LOOSE}]")
"""Matches one character of a script without spaces between words."""

_CLOSERS = "\"'”’)\\]」』》】）"  # noqa: RUF001
SENTENCE_END = re.compile(
    rf"[.!?…؟۔।॥]+[{_CLOSERS}]*\s|"  # noqa: RUF001
    rf"[。！？｡။།]+[{_CLOSERS}]*(?:\s|(?=[^\s。！？｡။།{_CLOSERS}]))|"  # noqa: RUF001
    rf"[!?]+[{_CLOSERS}]*(?={UNSPACED.pattern})|\n"
)
"""Matches the end of a sentence, which is one of

    a full stop, question mark or exclamation mark before white space
    a full-width one (also of Khmer, Myanmar and Tibetan) before any other character
    "!" or "?" before a script without spaces
    a line feed

together with the quotes and brackets that close after it. The character after it must be known,
so that the sentences of a text do not depend on the pieces in which the text arrives.
"""

_WORD = re.compile(r"\w\S*")

_UNSPACED_WORDS_PER_TOKEN = 3.0
"""Text whose tokens (from one space to the next) hold more words than this is unsegmented."""


def count_unspaced_words(text: str) -> float:
    """Estimates the number of words that are written in scripts without spaces."""
    if text.isascii():
        return 0.0
    return sum(len(script.findall(text)) / chars for script, chars in _CHARS_PER_WORD.items())


def count_words(text: str) -> float:
    """Estimates the number of words in a text, whether or not spaces separate them.

    >>> count_words("two words"), count_words("我们很喜欢这本书")
    (2, 5.0)
    """
    unspaced = count_unspaced_words(text)
    if not unspaced:
        return len(text.split())
    return unspaced + len(_WORD.findall(UNSPACED.sub(" ", text)))


def unsegmented_share(texts: Sequence[str]) -> float:
    """Estimates the share of the words that no space separates from their neighbours.

    Texts of a script without spaces may still have spaces between words, as the corpora of word
    segmentation do. They count as unsegmented if there are on average more than three words
    between two spaces.
    """
    unspaced = tokens = 0.0
    for text in texts:
        if words := count_unspaced_words(text):
            unspaced += words
            tokens += sum(UNSPACED.search(token) is not None for token in text.split())
    if unspaced <= _UNSPACED_WORDS_PER_TOKEN * tokens:
        return 0.0
    return unspaced / sum(map(count_words, texts))
