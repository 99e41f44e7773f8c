"""Texts that were damaged before they were saved: wrong encodings, markup, control characters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from textrnn.analysis.data_check.checked_split import CheckedSplit
from textrnn.analysis.data_check.findings import Finding, Severity
from textrnn.messages.wording import counted

__all__ = ["check_damage"]


class _Damage(NamedTuple):
    """One kind of damage, and the pattern that shows it."""

    kind: str
    severity: Severity
    pattern: re.Pattern[str]
    has: str
    advice: str


_DAMAGES = (
    _Damage(
        "replacement_characters",
        "warning",
        re.compile("\ufffd"),
        "the character U+FFFD, which replaces what could not be decoded",
        "Export the texts again with the right encoding.",
    ),
    _Damage(
        "double_encoding",
        "warning",
        # UTF-8 that was read as Latin-1 or Windows-1252: é becomes Ã©, and ’ becomes â€™.
        re.compile(
            "[\u00c2\u00c3][\u0080-\u00bf]|\u00e2\u20ac[\u0080-\u00bf\u2018-\u203a\u0153\u2122]"
        ),
        "UTF-8 that was decoded as another encoding, such as \u00c3\u00a9 for \u00e9",
        "Export the texts again as UTF-8, or name their encoding by `encoding`.",
    ),
    _Damage(
        "control_characters",
        "info",
        re.compile("[\u0000-\u0008\u000e-\u001f\u007f]"),
        "control characters",
        "Delete them if they mean nothing.",
    ),
    _Damage(
        "markup",
        "info",
        re.compile(
            r"</?(?:br|p|div|span|a|b|i|td|tr|table|html|body|font|img)\b[^<>]*>|&(?:amp|lt|gt|quot|nbsp|#\d+);",
            re.I,
        ),
        "HTML tags or entities",
        "Convert HTML to text if new texts will come without it.",
    ),
)


def check_damage(split: CheckedSplit) -> Iterator[Finding]:
    """Yields the number of texts with each kind of damage."""
    for damage in _DAMAGES:
        places = [p for p, text in enumerate(split.texts) if damage.pattern.search(text)]
        if places:
            noun = counted(len(places), "text has", "texts have")
            yield Finding(
                damage.kind,
                damage.severity,
                split.name,
                f"{noun} {damage.has}.",
                damage.advice,
                rows=split.numbers(places),
                count=len(places),
            )
