"""User-supplied strings, such as file names and labels, in a form that is safe to display."""

from __future__ import annotations

import os
import re
import shlex
import unicodedata

from rich.cells import cell_len, set_cell_size

from textrnn.runtime.text.unicode import valid_unicode

__all__ = ["markdown", "one_line", "shell_word"]

# Characters that CommonMark and GitHub read as markup anywhere in a line; _ only next to a word.
_MARKUP = re.compile(r"[\\`*\[\]<>|~&$]|(?<![^\W_])_|_(?![^\W_])")
# Characters that they read as a heading, a rule or a list at the start of a line.
_BLOCK = re.compile(r"[#+\-=]|\d+(?=[.)])")


def one_line(text: str, *, most: int | None = None) -> str:
    r"""Returns the text on one line, without characters that cannot be drawn or encoded.

    Each run of white space becomes one space. Lone surrogates, control characters and unassigned
    characters become U+FFFD. Invisible characters, such as those that set the direction of writing,
    are left out.

    >>> one_line("two\nlines"), one_line("a long name", most=7)
    ('two lines', 'a long…')

    Args:
        text: The text.
        most: The largest width in columns of a terminal, of which a Chinese character takes two. A
            wider text is cut and ends in an ellipsis. None allows any width.
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
    r"""Returns Markdown that displays the text literally, on its own line or in a table cell.

    >>> print(markdown("# 2*3|4"))
    \# 2\*3\|4

    Args:
        text: The text.
        most: The largest width of the text; see `one_line`.
    """
    escaped = _MARKUP.sub(r"\\\g<0>", one_line(text, most=most))
    start = _BLOCK.match(escaped)
    if start is None:
        return escaped
    # In "1." the backslash belongs before the full stop.
    place = start.end() if start[0].isdigit() else 0
    return f"{escaped[:place]}\\{escaped[place:]}"


def shell_word(text: str) -> str:
    r"""Returns the text as one word of a shell command.

    A text with characters that cannot be printed has escaped bytes, which bash and zsh read.

    >>> print(shell_word("my run"), shell_word("a\nb"))
    'my run' $'a\x0ab'

    Args:
        text: The text, such as a path.
    """
    if text.isprintable():
        return shlex.quote(text)
    plain = set(range(32, 127)) - set(b"\\'")
    escaped = (chr(b) if b in plain else f"\\x{b:02x}" for b in os.fsencode(text))
    return f"$'{''.join(escaped)}'"
