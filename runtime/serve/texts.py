"""Texts out of JSON values, and the limits of a request."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any

from .errors import RequestError
from .settings import Limits

__all__ = ["check_texts", "parsed_object", "text_of", "valid_text"]


def parsed_object(body: bytes | str) -> dict[str, Any]:
    """Returns a JSON object that was sent.

    Raises:
        RequestError: It is something else; status 400.
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        # The message of the parser has a place and no content.
        reason = "text that is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
        raise RequestError(400, f"expected a JSON object, got: {reason[:200]}.") from None
    if not isinstance(value, dict):
        raise RequestError(400, "expected a JSON object, got another JSON value.")
    return value


def text_of(value: Any, *, place: str) -> str:
    """Returns the text that a JSON value stands for: a string, or `{"b64": BASE64}` of UTF-8.

    Bytes that are not UTF-8 become U+FFFD, as in the SavedModel.

    >>> text_of({"b64": "Z29vZA=="}, place="instances[0]")
    'good'

    Args:
        value: The value.
        place: Where it is in the request, for messages.

    Raises:
        RequestError: The value is none of these; status 400.
    """
    if isinstance(value, str):
        return valid_text(value)
    if isinstance(value, dict) and set(value) == {"b64"} and isinstance(value["b64"], str):
        try:
            return base64.b64decode(value["b64"], validate=True).decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            raise RequestError(400, f"{place}: expected base64 in `b64`, got other text.") from None
    raise RequestError(
        400,
        f'{place}: expected a string or an object {{"b64": BASE64}}, got {_kind(value)}.',
    )


def valid_text(text: str) -> str:
    """Returns a text without halves of surrogate pairs, which no encoding has; they become U+FFFD.

    JSON can contain them: JavaScript cuts strings between the halves of an emoji.
    """
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def check_texts(texts: Sequence[str], limits: Limits) -> None:
    """Checks the number of the texts of a request, and their lengths.

    Raises:
        RequestError: There are too many texts, or one is too long; status 413.
    """
    if len(texts) > limits.max_texts:
        raise RequestError(
            413, f"expected at most {limits.max_texts} texts, got {len(texts)}; send fewer."
        )
    for place, text in enumerate(texts):
        if len(text) > limits.max_characters:
            raise RequestError(
                413,
                f"text {place}: expected at most {limits.max_characters} characters, got "
                f"{len(text)}; shorten it.",
            )


def _kind(value: Any) -> str:
    """Names the kind of a JSON value, without its content, which may be private."""
    names = {dict: "an object", list: "a list", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")
