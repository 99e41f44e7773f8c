"""Token ids of a text that comes in pieces, cut anywhere."""

from __future__ import annotations

import codecs
import re

from textrnn.errors import ConfigError
from textrnn.text.cuts import LONG_TEXT
from textrnn.text.tokenizer import Tokenizer

__all__ = ["TokenStream"]

# A space at which a text may be cut, once it is known that no "/>" follows: "<br />" is one sign.
_CUT = re.compile(r"[ \t\n\f\r](?=/[^>]|[^/])", re.DOTALL)


class TokenStream:
    """Turns the pieces of a text into ids, word by word.

    What is held back until the next piece is the last word, which may go on, and the bytes of a
    character that is not whole yet; in a script without spaces what stands behind the last place
    that no piece reaches across (`Tokenizer.last_cut`), a few characters as a rule. Of a word
    without an end these are 20,000 characters at the most, beyond which it is cut.

    Args:
        tokenizer: The tokenizer.

    Raises:
        ConfigError: The tokenizer's pieces reach across words.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        if not tokenizer.words_apart:
            raise ConfigError(
                "a text cannot be read in pieces with this tokenizer, whose pieces depend on the "
                "words around them; train with another --piece-type than byte, or feed ids."
            )
        self._tokenizer = tokenizer
        self._text, self._inside = "", False
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def feed(self, piece: str | bytes) -> list[int]:
        """The ids of all words that have become whole.

        Args:
            piece: Text, or bytes of UTF-8; what is no UTF-8 becomes U+FFFD.

        Raises:
            TypeError: The piece is neither.
        """
        if not isinstance(piece, str | bytes):
            raise TypeError(
                f"a piece must be a string or bytes, got {piece!r} ({type(piece).__name__})."
            )
        text = self._decoder.decode(piece) if isinstance(piece, bytes) else piece
        self._text += text
        cuts = [match.start() for match in _CUT.finditer(self._text)]
        end, inside = (cuts[-1] if cuts else 0), False
        later = self._tokenizer.last_cut(self._text)
        if later > end:
            end, inside = later, True
        if not end and len(self._text) > LONG_TEXT:
            end, inside = LONG_TEXT, True
        if not end:
            return []
        ids = self._tokenizer.encode(self._text[:end], inside=self._inside)
        self._text, self._inside = self._text[end:], inside
        return ids

    def rest(self) -> list[int]:
        """The ids of what is held back, as if the text ended here; it goes on being held."""
        if not self._text:
            return []
        return self._tokenizer.encode(self._text, inside=self._inside)

    def state(self) -> tuple[str, bool, bytes]:
        """What is held back: text, whether it goes on within a word, and an unfinished character's
        bytes.
        """
        return self._text, self._inside, self._decoder.getstate()[0]

    def restore(self, state: tuple[str, bool, bytes]) -> None:
        """Holds this back instead."""
        self._text, self._inside, undecoded = state
        self._decoder.setstate((undecoded, 0))
