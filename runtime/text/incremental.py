"""Token ids of a text that arrives in pieces, which may be cut anywhere."""

from __future__ import annotations

import codecs
import re

from ..errors import ConfigError
from .cuts import LONG_TEXT
from .encoder import Encoder

__all__ = ["TokenStream"]

# White space at which the text may be cut. No "/>" may follow, because the rules replace "<br />"
# as a whole.
_CUT = re.compile(r"[ \t\n\f\r](?=/[^>]|[^/])", re.DOTALL)


class TokenStream:
    """Turns the pieces of a text into ids, word by word.

    The stream holds back the last word, which may continue in the next piece, and the bytes of an
    incomplete character. In a script without spaces it holds back the text after the last safe cut
    (`Encoder.last_cut`), which usually is a few characters. A word without an end is cut after
    20,000 characters.

    >>> from textrnn import Tokenizer
    >>> from textrnn.config.classifier import TokenizerConfig
    >>> texts = ["the film was great", "the play was bad"] * 20
    >>> tokenizer = Tokenizer.train(texts, TokenizerConfig(piece_type="char"), cache=False)
    >>> stream = TokenStream(tokenizer)
    >>> ids = stream.feed("the fi") + stream.feed("lm was") + stream.rest()
    >>> ids == tokenizer.encode("the film was")
    True

    Args:
        tokenizer: The tokenizer.

    Raises:
        ConfigError: The tokenizer's pieces extend across words.
    """

    def __init__(self, tokenizer: Encoder) -> None:
        if not tokenizer.words_apart:
            raise ConfigError(
                "a stream of text needs a tokenizer whose pieces depend on single words, got one "
                "whose pieces depend on the words around them; train a model with another "
                "`piece_type` than byte, or feed ids."
            )
        self._tokenizer = tokenizer
        self._text, self._continued = "", False
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def feed(self, piece: str | bytes) -> list[int]:
        """Returns the ids of all words that are complete now.

        Args:
            piece: Text, or bytes of UTF-8; bytes that are not UTF-8 become U+FFFD.

        Raises:
            TypeError: The piece is neither text nor bytes.
        """
        if not isinstance(piece, str | bytes):
            raise TypeError(
                f"a piece must be a string or bytes, got {piece!r} ({type(piece).__name__})."
            )
        self._text += self._decoder.decode(piece) if isinstance(piece, bytes) else piece
        end, continued = self._last_cut()
        if not end:
            return []
        ids = self._tokenizer.encode(self._text[:end], continued=self._continued)
        self._text, self._continued = self._text[end:], continued
        return ids

    def _last_cut(self) -> tuple[int, bool]:
        """Returns where the text can be cut, and whether the rest continues without a space."""
        spaces = [match.start() for match in _CUT.finditer(self._text)]
        space = spaces[-1] if spaces else 0
        cut = self._tokenizer.last_cut(self._text)
        if cut > space:
            return cut, True
        if not space and len(self._text) > LONG_TEXT:
            return LONG_TEXT, True
        return space, False

    def rest(self) -> list[int]:
        """Returns the ids of the text held back, as if it ended here, and keeps it."""
        if not self._text:
            return []
        return self._tokenizer.encode(self._text, continued=self._continued)

    def state(self) -> tuple[str, bool, bytes]:
        """Returns what the stream holds back, for `restore`.

        Returns:
            The text, whether it continues a word, and the bytes of an incomplete character.
        """
        return self._text, self._continued, self._decoder.getstate()[0]

    def restore(self, state: tuple[str, bool, bytes]) -> None:
        """Replaces what the stream holds back by what `state` returned."""
        self._text, self._continued, undecoded = state
        self._decoder.setstate((undecoded, 0))
