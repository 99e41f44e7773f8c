"""A user's words, such as a file's name or a label, made fit for one line of something shown."""

from __future__ import annotations

import re
import unicodedata

from rich.cells import cell_len, set_cell_size

from textrnn.text.unicode import valid_unicode

__all__ = ["markdown", "one_line"]

# What CommonMark and GitHub read as markup wherever it stands in a line; _ only beside a word.
_MARKUP = re.compile(r"[\\`*\[\]<>|~&$]|(?<![^\W_])_|_(?![^\W_])")
# What they read as a heading, a rule or a list where a line begins with it.
_BLOCK = re.compile(r"[#+\-=]|\d+(?=[.)])")


def one_line(text: str, *, most: int | None = None) -> str:
    """The text without line breaks, and with nothing in it that cannot be drawn or encoded.

    Each run of whitespace becomes one space. U+FFFD stands for lone surrogates, control characters
    and unassigned ones; invisible characters, such as those that set the direction of writing, are
    left out.

    Args:
        text: The text.
        most: The largest width, in columns of a terminal, of which Chinese characters take two; a
            longer text is cut, and ends in an ellipsis. None: any width.
    """
    line = "".join(map(_visible, " ".join(valid_unicode(text).split())))
    if most is None or cell_len(line) <= most:
        return line
    return f"{set_cell_size(line, most - 1).rstrip()}…"


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    return "" if unicodedata.category(character) == "Cf" else "\ufffd"


def markdown(text: str, *, most: int | None = None) -> str:
    """Markdown that shows the text as it stands, in a line of its own or in a table's cell.

    Args:
        text: The text.
        most: The text's largest width; see `one_line`.
    """
    escaped = _MARKUP.sub(r"\\\g<0>", one_line(text, most=most))
    start = _BLOCK.match(escaped)
    if start is None:
        return escaped
    mark = start.end() if start[0].isdigit() else 0
    return f"{escaped[:mark]}\\{escaped[mark:]}"
