"""Text that UTF-8 can encode."""

from __future__ import annotations

import re

__all__ = ["valid_unicode"]

_SURROGATE = re.compile("[\ud800-\udfff]")


def valid_unicode(text: str) -> str:
    r"""Replaces each lone surrogate, which UTF-8 cannot encode, by U+FFFD.

    >>> valid_unicode("caf\udce9") == "caf\ufffd"
    True
    """
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)
