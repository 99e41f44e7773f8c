"""Patterns that look like personal data: counted, never shown.

A pattern is a sign, not a proof: a number with a valid check digit may be an order number, and a
name has no pattern at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from textrnn.analysis.data_check.checked_split import CheckedSplit
from textrnn.analysis.data_check.findings import Finding
from textrnn.messages.wording import counted

__all__ = ["PATTERNS", "check_personal_data", "personal_data"]

_EMAIL = re.compile(r"[\w.+-]{1,64}@(?:[\w-]{1,63}\.)+[^\W\d_]{2,24}\b")
_SECRET_URL = re.compile(
    r"https?://[^\s<>\"']*[?&#](?:[\w-]*(?:token|secret|passw(?:or)?d|api_?key|signature|session)"
    r"|auth|key|sig|pwd|sid)=[^\s&#<>\"']{6,}",
    re.IGNORECASE,
)
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_CARD = re.compile(r"(?<![\w-])(?:\d[ -]?){12,18}\d(?![\w-])")
_PHONE = re.compile(
    r"(?<![\w+.,/-])"
    r"(?:(?:\+|00)\d{1,3}(?:[ ()./-]{0,2}\d){6,12}"  # International.
    r"|\(\d{2,5}\)[ /-]?\d{3,4}[ -]?\d{2,5}"  # (020) 7946 0958
    r"|\d{3}[ .-]\d{3}[ .-]\d{4}"  # 555-123-4567
    r"|0\d{2,4}[ /-]\d{3,4}[ -]?\d{2,5})"  # 030 1234567
    r"(?![\w-])"
)
_LONG_NUMBER = re.compile(r"(?<![\w.,])\d{9,}(?![\w.,]\d)")


_NUMBERS = "other numbers of 9 or more digits"


def _is_iban(text: str) -> bool:
    """Returns whether a number has the check digits of an IBAN (ISO 13616: modulo 97)."""
    number = text.replace(" ", "")
    if not 15 <= len(number) <= 34:
        return False
    return int("".join(str(int(c, 36)) for c in number[4:] + number[:4])) % 97 == 1


def _is_card(text: str) -> bool:
    """Returns whether a number has the check digit of a payment card (ISO/IEC 7812: Luhn)."""
    digits = [int(c) for c in text if c.isdigit()]
    if len(set(digits)) == 1 or digits[0] not in (2, 3, 4, 5, 6):
        return False
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return (sum(digits[::-2]) + sum(doubled)) % 10 == 0


def _always(text: str) -> bool:
    return True


PATTERNS: dict[str, tuple[re.Pattern[str], Callable[[str], bool]]] = {
    "e-mail addresses": (_EMAIL, _always),
    "links with a secret in them": (_SECRET_URL, _always),
    "bank account numbers (IBAN)": (_IBAN, _is_iban),
    "payment card numbers": (_CARD, _is_card),
    "telephone numbers": (_PHONE, _always),
    _NUMBERS: (_LONG_NUMBER, _always),
}
"""The pattern and the check of each kind of personal data. A text is searched for the kinds in this
order, and what one kind has found is no other kind."""

_HINT = re.compile(r"@|://|\d(?:[ ()./-]{0,2}[A-Z\d]){6}")
"""Occurs in every text that has one of the patterns; most texts lack it."""


def personal_data(text: str) -> dict[str, int]:
    """Returns the number of occurrences of each kind of personal data in a text.

    >>> personal_data("write to me@example.org or call +44 20 7946 0958")
    {'e-mail addresses': 1, 'telephone numbers': 1}
    """
    found: dict[str, int] = {}
    if not _HINT.search(text):
        return found
    for kind, (pattern, is_valid) in PATTERNS.items():
        places = [match.span() for match in pattern.finditer(text) if is_valid(match[0])]
        if places:
            found[kind] = len(places)
            for start, end in reversed(places):
                text = f"{text[:start]}\n{text[end:]}"
    return found


def check_personal_data(split: CheckedSplit) -> Iterator[Finding]:
    """Yields the number of texts with each kind of personal data."""
    occurrences = dict.fromkeys(PATTERNS, 0)
    places: dict[str, list[int]] = {kind: [] for kind in PATTERNS}
    for place, text in enumerate(split.texts):
        for kind, count in personal_data(text).items():
            occurrences[kind] += count
            places[kind].append(place)
    for kind, count in occurrences.items():
        if count:
            texts = counted(len(places[kind]), "text has", "texts have")
            yield Finding(
                "personal_data",
                "info" if kind == _NUMBERS else "warning",
                split.name,
                f"{texts} what look like {kind} ({count:,} in all).",
                "Replace them by a placeholder if they are real: pieces of them can be in the "
                "vocabulary of a run, and in its report.",
                rows=split.numbers(places[kind]),
                count=len(places[kind]),
            )
