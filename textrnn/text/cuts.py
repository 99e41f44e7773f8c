"""Where a text may be cut without a space, so that its parts have the pieces of the whole."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from textrnn.text.scripts import UNSPACED

__all__ = ["LONG_TEXT", "Cuts"]

LONG_TEXT = 20_000
"""Characters of a text that is encoded in parts: so many pieces' scores have an exact sum."""

# A part ends before white space that is not that of "<br />", which the rules know as a whole.
_LONG_PART = re.compile(
    rf"(?s).{{1,{LONG_TEXT}}}(?=[ \t\n\f\r](?!/>)|\Z)|.+?(?=[ \t\n\f\r](?!/>)|\Z)"
)

_REACH = 1000
"""Characters before the end of a text among which a cut is looked for."""


class Cuts:
    """Finds places in scripts without spaces that no piece of a vocabulary reaches across.

    The best pieces of a text are then those of the part before, and those of the part behind. A
    place between the characters a and b is one of these if

        no piece holds a and b side by side,
        a or b has a piece of its own: a run of unknown characters is one unknown piece, and
        the normalisation brings each side to the same form with and without the other.

    Args:
        pieces: The vocabulary.
        normalize: The tokenizer's normalisation, without a space before the text.
    """

    def __init__(self, pieces: Iterable[str], normalize: Callable[[str], str]) -> None:
        pieces = list(pieces)
        self._normalize = normalize
        self._known = {piece for piece in pieces if len(piece) == 1}
        self._pairs = {piece[i : i + 2] for piece in pieces for i in range(len(piece) - 1)}

    def last(self, text: str, end: int) -> int:
        """The last place of these up to `end`, within 1,000 characters; 0 if there is none.

        The two characters behind a place must be known, since the second may change the first, as
        a voicing mark does.
        """
        if not self._known:
            return 0
        last = min(end, len(text) - 2)
        for place in range(last, max(0, last - _REACH), -1):
            if UNSPACED.search(text, place - 1, place + 1) and self._apart(text, place):
                return place
        return 0

    def parts(self, text: str, *, inside: bool = False) -> list[tuple[str, bool]]:
        """A text in parts of up to 20,000 characters, each of which has its own pieces.

        A part ends before white space, or else at a place that `last` finds; where there is neither
        it is longer.

        Args:
            text: The text.
            inside: Whether the text goes on without a space before it.

        Returns:
            Each part, and whether it goes on without a space before it.
        """
        parts: list[tuple[str, bool]] = []
        for part in _LONG_PART.findall(text):
            while len(part) > LONG_TEXT and (cut := self.last(part, LONG_TEXT)):
                parts.append((part[:cut], inside))
                part, inside = part[cut:], True
            parts.append((part, inside))
            inside = False
        return parts

    def _apart(self, text: str, place: int) -> bool:
        before, after = text[max(0, place - 2) : place], text[place : place + 2]
        left, right = self._normalize(before), self._normalize(after)
        a, b = self._normalize(before[-1]), self._normalize(after[0])
        if not (a and b and left.endswith(a) and right.startswith(b)):
            return False
        return (
            left[-1] + right[0] not in self._pairs
            and bool({left[-1], right[0]} & self._known)
            and self._normalize(before + after) == left + right
        )
