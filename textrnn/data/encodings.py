"""Names the probable encoding of a file whose bytes do not fit the expected one.

The guess only goes into messages; a file is never read with it. A byte order mark is no guess.
"""

from __future__ import annotations

import codecs
import functools
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from textrnn.data.opening import marked_encoding, open_bytes

__all__ = ["Guess", "encoding_remedy", "likely_encoding"]

CANDIDATES = (
    *("cp1252", "cp932", "euc_jp", "gb18030", "euc_kr", "big5", "cp1251", "koi8_r", "cp1250"),
    *("cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "iso8859_2", "iso8859_5", "iso8859_7"),
    *("cp866", "cp850", "mac_roman"),
)
"""The encodings that are considered."""
_MOST_FREQUENT = "cp1252"
"""The guess if it is as probable as the best one; many others have the same letters."""

_SAMPLE_BYTES = 1 << 15
"""The number of bytes of lines that do not fit, from which the encoding is guessed."""
_READ_BYTES = 1 << 26
"""The number of bytes that are searched for such lines."""
_SIMILAR = 0.03
"""A difference of coherence that does not matter."""
_LINE_NUMBER = re.compile(r":\d+(-\d+)?$")
_WORD = re.compile(r'[^\s,;"]{0,12}[^\x00-\x7f][^\s,;"]{0,12}')


class Guess(NamedTuple):
    """What a file with unexpected bytes probably is.

    Attributes:
        encoding: The probable encoding; "" if most lines fit the expected one, and only some are
            damaged.
        example: A word of the file in this encoding, by which a reader can judge the guess.
    """

    encoding: str
    example: str = ""


def encoding_remedy(origin: str, *, encoding: str) -> str:
    """Returns what to do about bytes that do not fit an encoding.

    Args:
        origin: Where the bytes are: the path of a file, perhaps with the number of a line.
        encoding: The expected encoding.
    """
    path = Path(_LINE_NUMBER.sub("", origin))
    guess = None
    try:
        if path.is_file():
            facts = path.stat()
            guess = _cached_guess(path, encoding, (facts.st_size, facts.st_mtime_ns))
    except (OSError, ValueError, EOFError):  # The reader of the file reports what is wrong with it.
        guess = None
    if guess is None:
        return f"save the file as {encoding}, or name its encoding by `encoding`"
    if not guess.encoding:
        return f"most other lines are {encoding}, so correct this line"
    if marked_encoding(path) == "utf-8":  # No encoding could be named: the mark contradicts it.
        return (
            f"the file begins with the byte order mark of utf-8, but is not utf-8 (probably "
            f"{guess.encoding}); save it again in one encoding"
        )
    example = f", in which it has {guess.example!r}" if guess.example else ""
    return (
        f"the file looks like {guess.encoding}{example}; set `encoding={guess.encoding!r}`, or "
        f"save it as {encoding}"
    )


@functools.lru_cache(maxsize=64)
def _cached_guess(path: Path, encoding: str, size_and_time: tuple[int, int]) -> Guess | None:
    """Returns the guess for a file; `size_and_time` tells another file of the name apart."""
    return likely_encoding(path, encoding=encoding)


def likely_encoding(path: Path, *, encoding: str) -> Guess | None:
    """Returns the probable encoding of a file.

    Args:
        path: The file, which is compressed if its name ends in .gz.
        encoding: The encoding that some bytes of the file do not fit.

    Returns:
        None if no encoding is probable.

    Raises:
        OSError: The file cannot be read.
    """
    with open_bytes(path) as file:
        start = file.read(4096)
    if b"\0" in start:
        return _with_null_bytes(start)
    with open_bytes(path) as file:
        sample, fits = _unexpected_lines(file, encoding)
    lines = sample.count(b"\n")
    if fits > lines:
        return Guess("")
    return _guess(sample)


def _with_null_bytes(start: bytes) -> Guess | None:
    """Returns UTF-16 in the order of bytes in which Latin letters have these null bytes."""
    first, second = start[::2].count(0), start[1::2].count(0)
    if max(first, second) < 4 * (min(first, second) + 1):
        return None
    return Guess("utf-16-be" if first > second else "utf-16-le")


def _unexpected_lines(file: Iterable[bytes], encoding: str) -> tuple[bytes, int]:
    """Returns the lines that do not fit an encoding, and the number of those with other letters
    than ASCII that fit."""
    decode = codecs.getdecoder(encoding)
    sample, fits, read = b"", 0, 0
    for line in file:
        read += len(line)
        line = line.removeprefix(codecs.BOM_UTF8)
        if not line.isascii():
            try:
                decode(line)
                fits += 1
            except UnicodeError:
                sample += line.rstrip(b"\r\n") + b"\n"
        if len(sample) >= _SAMPLE_BYTES or read >= _READ_BYTES:
            break
    return sample, fits


def _guess(sample: bytes) -> Guess | None:
    """Returns the most probable encoding of lines."""
    from charset_normalizer import from_bytes

    matches = list(from_bytes(sample, cp_isolation=list(CANDIDATES)))
    if not matches:
        return None
    best = matches[0]
    equal = {
        name
        for match in matches
        if match.chaos == best.chaos and match.coherence >= best.coherence - _SIMILAR
        for name in match.could_be_from_charset
    }
    encoding = _MOST_FREQUENT if _MOST_FREQUENT in equal else best.encoding
    word = _WORD.search(sample.decode(encoding, errors="replace"))
    return Guess(encoding, word[0] if word else "")
