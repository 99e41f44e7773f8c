"""Standard input as pieces of one text, each as soon as it arrives."""

from __future__ import annotations

import codecs
import itertools
import os
import sys
from collections.abc import Iterable, Iterator

import click

from textrnn.errors import ConfigError

__all__ = ["stdin_pieces", "utf8_pieces"]

READ_BYTES = 1 << 16
"""Largest number of bytes that are read from stdin at a time."""


def stdin_pieces() -> Iterator[bytes]:
    """Yields the bytes of stdin as they arrive, until its end."""
    return iter(lambda: os.read(sys.stdin.fileno(), READ_BYTES), b"")


def utf8_pieces(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Yields the pieces of a text as UTF-8, without a byte order mark.

    U+FFFD takes the place of bytes that are not valid in the encoding; one note on stderr says so.

    >>> list(utf8_pieces([b"caf\\xe9"], "latin-1"))[0].decode()
    'café'

    Args:
        pieces: The text in its own encoding, cut anywhere.
        encoding: The encoding.

    Raises:
        ConfigError: Python does not know the encoding.
    """
    try:
        decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    except LookupError:
        raise ConfigError(
            "`encoding` must be a text encoding that Python knows, such as utf-8 or latin-1, got "
            f"{encoding!r}."
        ) from None
    started = noted = False
    for piece in itertools.chain(pieces, [b""]):
        text = decoder.decode(piece, final=not piece)
        if text and not started:
            text, started = text.removeprefix("\ufeff"), True
        if "\ufffd" in text and not noted:
            noted = True
            click.echo(
                f"note: some bytes are not valid {encoding} and are read as U+FFFD; name the "
                "encoding by --encoding.",
                err=True,
            )
        yield text.encode("utf-8", errors="replace")
