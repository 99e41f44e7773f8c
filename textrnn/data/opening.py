"""Opens text files that may be compressed, in any encoding, and standard input."""

from __future__ import annotations

import codecs
import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from textrnn.data.stores import open_binary
from textrnn.errors import ConfigError, DataError

__all__ = ["marked_encoding", "open_bytes", "open_text"]

_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}

_LOOKED_AT = 2**20
"""The number of bytes at the start of a file by which its encoding is judged."""

_CONTAINERS = {
    b"\x1f\x8b": "data compressed by gzip; give its name the ending .gz",
    b"PK\x03\x04": "an Excel, Word or zip file; give an Excel file its ending .xlsx",
    b"PAR1": "a Parquet file; give its name the ending .parquet",
    b"ARROW1": "an Arrow file; give its name the ending .arrow",
    b"%PDF": "a PDF; save its text as .txt",
}
"""The first bytes of files that are not text: the kind of file, and what to do."""


@contextmanager
def open_text(path: Path, encoding: str, *, newline: str) -> Iterator[TextIO]:
    """Opens a file as text; bytes that do not fit the encoding become lone surrogates.

    Args:
        path: The file, which is compressed if its name ends in .gz; "-" is standard input.
        encoding: The character encoding. A byte order mark chooses its variant, and UTF-16 or
            UTF-32 in place of UTF-8.
        newline: The line ends, as for `open`.

    Raises:
        DataError: The file is missing, damaged, not text, or of another encoding.
        ConfigError: The encoding is unknown.
    """
    codec = _codec(encoding)
    try:
        with open_bytes(path) as raw:
            codec = _marked_codec(path, raw, encoding) or codec
            _refuse_utf8(path, encoding)
            lines = io.TextIOWrapper(raw, codec, errors="surrogateescape", newline=newline)
            try:
                yield lines
            finally:
                # A garbage-collected wrapper would close standard input.
                lines.detach()
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(
            f"{path}: expected a whole gzip file, got a truncated or damaged one ({error}); "
            "create it or fetch it again."
        ) from error
    except FileNotFoundError:
        raise DataError(f"{path}: expected a file, got none; check the path.") from None
    except UnicodeError as error:
        raise DataError(
            f"{path}: expected {encoding} text, got other bytes ({error}); save the file as "
            f"{encoding}, or name its encoding by `encoding`."
        ) from error
    except OSError as error:
        raise DataError(
            f"{path}: expected a readable file, got: {error.strerror or error}; check the file "
            "and its permissions."
        ) from error


def marked_encoding(path: Path) -> str:
    """Returns the encoding that the byte order mark of a file names; "" if there is no mark.

    Raises:
        OSError: The file cannot be read.
    """
    with open_bytes(path) as file:
        start = file.read(4)
    marks = (name for mark, name in _BYTE_ORDER_MARKS.items() if start.startswith(mark))
    return next(marks, "")


def _codec(encoding: str) -> str:
    try:
        io.TextIOWrapper(io.BytesIO(), encoding)
        # A byte order mark is not part of the text.
        return "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding
    except (LookupError, ValueError):
        raise ConfigError(
            "`encoding` must be a text encoding that Python knows, such as utf-8 or latin-1, "
            f"got {encoding!r}."
        ) from None


def _marked_codec(path: Path, raw: BinaryIO, encoding: str) -> str | None:
    """Returns the codec of the byte order mark at the start of a file; None if there is no mark.

    UTF-8 is the default, so that the mark of another Unicode encoding has precedence over it.

    Raises:
        DataError: The mark belongs to another encoding, or the file is not text.
    """
    peek = getattr(raw, "peek", None)
    start = peek(6)[:6] if peek is not None else b""
    for magic, kind in _CONTAINERS.items():
        if start.startswith(magic):
            raise DataError(f"{path}: expected text, got {kind}.")
    for mark, marked in _BYTE_ORDER_MARKS.items():
        if start.startswith(mark):
            name = codecs.lookup(encoding).name
            if name != "utf-8" and not name.startswith(marked):
                raise DataError(
                    f"{path}: expected {encoding} text, got the byte order mark of "
                    f"{marked}{_mark_remedy(path, marked, encoding)}."
                )
            return "utf-8-sig" if marked == "utf-8" else marked
    return None


def _mark_remedy(path: Path, marked: str, encoding: str) -> str:
    """Returns what to do about a byte order mark that contradicts the encoding that was named."""
    if marked == "utf-8" and path.is_file():
        with open_bytes(path) as file:
            for number, line in enumerate(file, 1):
                try:
                    line.decode()
                except UnicodeError:
                    return (
                        f", but line {number} is not {marked} (probably {encoding}); save the file "
                        "again in one encoding"
                    )
    return f"; set `encoding={marked!r}`"


def _refuse_utf8(path: Path, encoding: str) -> None:
    """Raises DataError if a file that is to be read in an older encoding is UTF-8.

    Nearly every encoding of one byte a character reads UTF-8 without an error, as other text. Text
    in such an encoding that has characters beyond ASCII is hardly ever valid UTF-8.
    """
    name = codecs.lookup(encoding).name
    if name.startswith("utf") or name == "ascii" or str(path) == "-":
        return
    with open_bytes(path) as file:
        start = file.read(_LOOKED_AT)
    if start.isascii():
        return
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return
    word = next(word for word in text.split() if not word.isascii())
    raise DataError(
        f"{path}: expected {encoding} text, got UTF-8, in which the word {word[:40]!r} is; set "
        "`encoding='utf-8'`, or save files that are read together in one encoding."
    )


@contextmanager
def open_bytes(path: Path) -> Iterator[BinaryIO]:
    """Opens the bytes of a file, or of standard input, without compression.

    Args:
        path: The file, which is compressed if its name ends in .gz; "-" is standard input.

    Raises:
        OSError: The file cannot be opened.
    """
    if str(path) == "-":
        yield sys.stdin.buffer
    elif path.suffix.lower() == ".gz":
        with open_binary(path) as packed, gzip.open(packed, "rb") as raw:
            yield cast(BinaryIO, raw)
    else:
        with open_binary(path) as raw:
            yield raw
