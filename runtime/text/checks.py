"""Checks that the texts a caller passes are strings in a list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["as_text", "as_texts"]


def as_texts(texts: Any, *, call: str) -> list[str]:
    """Returns the texts as a list.

    Args:
        texts: Any iterable of strings: a list, a NumPy array, a pandas Series, a generator.
        call: The name of the function that takes them, for messages.

    Raises:
        TypeError: `texts` is one text, a set, a table or a dictionary, or an item is not a string,
            such as the NaN that pandas has for a missing value.
    """
    if isinstance(texts, str | bytes):
        raise TypeError(f"`texts` must be a list of texts, got one text: {call}([{texts!r}]).")
    if isinstance(texts, set | frozenset):
        raise TypeError("`texts` must be a list of texts, got a set, which has no order.")
    if isinstance(texts, Mapping) or hasattr(texts, "columns"):
        raise TypeError(
            f"`texts` must be a list of texts, got a {type(texts).__name__}; pass one column "
            f'of it, such as {call}(table["text"]).'
        )
    if not isinstance(texts, Iterable):
        raise TypeError(f"`texts` must be a list of texts, got {texts!r}.")
    items = list(texts)
    for place, item in enumerate(items):
        if not isinstance(item, str):
            raise TypeError(
                f"`texts` must hold strings only, got {item!r} ({type(item).__name__}) at place "
                f"{place}; leave missing texts out, or write '' for them."
            )
    return items


def as_text(text: Any, *, call: str) -> str:
    """Returns the text.

    Args:
        text: One text.
        call: The name of the function that takes it, for messages.

    Raises:
        TypeError: `text` is not a string.
    """
    if not isinstance(text, str):
        raise TypeError(
            f"`text` must be a string, got {text!r} ({type(text).__name__}); {call} takes one text."
        )
    return text
