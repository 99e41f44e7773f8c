"""Places where a text can be cut without a space, so that its parts have the pieces of the whole.

A text that is longer than `LONG_TEXT` is encoded in parts; see `Tokenizer.encode`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from .scripts import UNSPACED

__all__ = ["LONG_TEXT", "SafeCuts"]

LONG_TEXT = 20_000
"""Characters above which a text is encoded in parts: up to here, sums of scores are exact."""

# A part ends before white space, but not within "<br />", which the rules replace as a whole.
_LONG_PART = re.compile(
    rf"(?s).{{1,{LONG_TEXT}}}(?=[ \t\n\f\r](?!/>)|\Z)|.+?(?=[ \t\n\f\r](?!/>)|\Z)"
)

_REACH = 1000
"""Characters before the end of a text that are searched for a cut."""


class SafeCuts:
    """Finds places in scripts without spaces that no piece of a vocabulary extends across.

    The best pieces of a text are then the best pieces of the part before the place, followed by
    those of the part after it. A place between the characters a and b is safe if

        no piece holds a and b side by side,
        a or b is a piece by itself, because a run of unknown characters is one unknown piece, and
        the normalisation of each side is the same with and without the other side.

    >>> cuts = SafeCuts(["我们", "很", "好"], normalize=lambda text: text)
    >>> cuts.last_before("我们很好我们", 3)
    3

    Args:
        pieces: The vocabulary.
        normalize: The tokenizer's normalisation, without a space before the text.
    """

    def __init__(self, pieces: Iterable[str], normalize: Callable[[str], str]) -> None:
        pieces = list(pieces)
        self._normalize = normalize
        self._known = {piece for piece in pieces if len(piece) == 1}
        self._pairs = {piece[i : i + 2] for piece in pieces for i in range(len(piece) - 1)}

    def last_before(self, text: str, end: int) -> int:
        """Returns the last safe place up to `end`, at most 1,000 characters before it, or 0.

        The two characters after a place must be part of the text, since the second may change
        the first, as a voicing mark does.
        """
        if not self._known:
            return 0
        last = min(end, len(text) - 2)
        for place in range(last, max(0, last - _REACH), -1):
            if UNSPACED.search(text, place - 1, place + 1) and self._is_safe(text, place):
                return place
        return 0

    def split(self, text: str, *, continued: bool = False) -> list[tuple[str, bool]]:
        """Splits a text into parts of up to 20,000 characters that are encoded independently.

        A part ends before white space, or else at a safe place. Where there is neither, the part
        is longer.

        Args:
            text: The text.
            continued: Whether the text continues another one, without a space between them.

        Returns:
            Each part, and whether it continues the one before without a space.
        """
        parts: list[tuple[str, bool]] = []
        for part in _LONG_PART.findall(text):
            while len(part) > LONG_TEXT and (cut := self.last_before(part, LONG_TEXT)):
                parts.append((part[:cut], continued))
                part, continued = part[cut:], True
            parts.append((part, continued))
            continued = False
        return parts

    def _is_safe(self, text: str, place: int) -> bool:
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
