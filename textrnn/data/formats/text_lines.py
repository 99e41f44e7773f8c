"""One text per line, without columns; lines of fastText begin with labels.

A line of fastText is `__label__NAME text`, or `__label__A __label__B text` for several labels.
Source: Joulin et al. 2017, "Bag of Tricks for Efficient Text Classification"; fasttext.cc.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from textrnn.data.columns import Record
from textrnn.data.formats.table import LABELLED_FILES, Request, Table
from textrnn.data.opening import open_text
from textrnn.errors import DataError
from textrnn.messages.wording import counted

__all__ = ["LABEL_PREFIX", "open_fasttext", "open_text_lines"]

LABEL_PREFIX = "__label__"
"""The characters before each label in a file of fastText."""


@contextmanager
def open_text_lines(path: Path, request: Request) -> Iterator[Table]:
    """Opens a file with one text per line, as a table of one column; "-" is standard input.

    Only a line feed ends a line, as for `wc -l` and `paste`.

    Args:
        path: The file.
        request: The name of the column.

    Raises:
        DataError: The file is damaged.
        ConfigError: The encoding is unknown.
    """
    with open_text(path, request.form.encoding, newline="\n") as lines:
        yield Table((request.form.text_column,), lambda: _texts(lines, path, request.notices))


def _texts(lines: Iterator[str], path: Path, notices: list[str]) -> Iterator[Record]:
    name = "stdin" if str(path) == "-" else path
    for number, line in enumerate(lines, start=1):
        text = _stripped(line)
        if number == 1 and text.startswith(LABEL_PREFIX):
            notices.append(
                f"{path}: the first line begins with {LABEL_PREFIX}, and labels are read as words "
                "of a text; give the name the ending .fasttext to leave them out."
            )
        yield Record(f"{name}:{number}", [text])


@contextmanager
def open_fasttext(path: Path, request: Request) -> Iterator[Table]:
    """Opens a file of fastText.

    Args:
        path: The file.
        request: The names of the columns of the text and of the label.

    Raises:
        DataError: The file is damaged, or its first line has no label.
        ConfigError: The encoding is unknown.
    """
    with open_text(path, request.form.encoding, newline="\n") as lines:
        columns = (request.form.text_column, request.form.labels[0].name)
        yield Table(columns, lambda: _labelled_texts(lines, path, request.notices))


def _labelled_texts(lines: Iterator[str], path: Path, notices: list[str]) -> Iterator[Record]:
    blank, is_fasttext = 0, False
    for number, line in enumerate(lines, start=1):
        text = _stripped(line).lstrip()
        origin = f"{path}:{number}"
        if not text:
            blank += 1
            continue
        labels = []
        while text.startswith(LABEL_PREFIX):
            label, *rest = text.split(maxsplit=1)
            labels.append(label.removeprefix(LABEL_PREFIX))
            text = rest[0] if rest else ""
        is_fasttext = is_fasttext or bool(labels)
        if not is_fasttext:
            raise DataError(
                f"{path}: expected {LABELLED_FILES}, got the first line {text[:30]!r} without "
                f"{LABEL_PREFIX}NAME; add the labels, or convert or rename the file."
            )
        yield Record(origin, [text, _one_or_all(labels)])
    if blank:
        notices.append(f"{path}: {counted(blank, 'blank line')} skipped.")


def _one_or_all(labels: list[str]) -> object:
    return labels if len(labels) > 1 else next(iter(labels), None)


def _stripped(line: str) -> str:
    return line.removeprefix("\ufeff").removesuffix("\n").removesuffix("\r")
