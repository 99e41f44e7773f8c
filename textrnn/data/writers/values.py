"""The values of cells as plain values of JSON, and as texts."""

from __future__ import annotations

import datetime
import json
import re
from decimal import Decimal

from textrnn.data.columns import ABSENT

__all__ = ["as_plain", "as_text"]

_ZEROS = re.compile(r"\.(\d*?)0+(Z?)$")
"""The zeros at the end of the fraction of a second; Z stands for UTC."""


def as_plain(value: object) -> object:
    """Returns a value that JSON can hold: numbers, texts, booleans, null, lists and dictionaries.

    >>> as_plain([datetime.date(2026, 11, 28), b"ab"])
    ['2026-11-28', 'ab']

    Args:
        value: A cell; times and decimals become their usual texts, and bytes are UTF-8 text.
    """
    if value is None or value is ABSENT:
        return None
    if isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, dict):
        return {str(key): as_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_plain(item) for item in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    if isinstance(value, datetime.date | datetime.time | datetime.timedelta | Decimal):
        return str(value)
    return _plain_scalar(value)


def _plain_scalar(value: object) -> object:
    """Returns the value of a scalar of pyarrow: of a time its text, without zeros at its end."""
    import pyarrow

    if not isinstance(value, pyarrow.Scalar):
        return str(value)
    if not value.is_valid:
        return None
    if isinstance(value, pyarrow.ExtensionScalar):
        return as_plain(value.value.as_py())
    if pyarrow.types.is_duration(value.type):
        return f"{value.value} {value.type.unit}"
    try:
        text = str(value.cast(pyarrow.string()).as_py())
    except pyarrow.ArrowException:
        return as_plain(value.as_py())
    return _ZEROS.sub(lambda end: (f".{end[1]}" if end[1] else "") + end[2], text)


def as_text(value: object) -> str:
    """Returns a value as the text of a cell; a missing value is the empty text.

    >>> [as_text(value) for value in (None, True, 1.5, ["a"])]
    ['', 'true', '1.5', '["a"]']
    """
    plain = as_plain(value)
    if plain is None:
        return ""
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)
