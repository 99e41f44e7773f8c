"""Texts that are given to a command: as arguments, from a file, or on stdin."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from textrnn.errors import DataError

if TYPE_CHECKING:
    from textrnn.config.data import DataConfig
    from textrnn.config.language_model import TextConfig
    from textrnn.data import FileFormat
    from textrnn.progress import Reporter

__all__ = ["BadRow", "TextSource", "printable", "text_options"]

F = TypeVar("F", bound=Callable[..., Any])
A = TypeVar("A")
STDIN = "-"


class BadRow(NamedTuple):
    """Stands in the place of an answer for a row that cannot be used."""

    reason: str


def text_options(command: F) -> F:
    """Adds the argument TEXTS and the options that say where else texts come from."""
    for decorate in (
        click.option(
            "--skip-bad-rows",
            is_flag=True,
            help="Give an empty answer, with the reason, to rows that cannot be read, instead of "
            "stopping at the first.",
        ),
        click.option(
            "--encoding", help="Encoding of the file or of stdin.  [default: the run's data's]"
        ),
        click.option(
            "--delimiter",
            help="Between the columns of the file: one character, or tab.  [default: the run's "
            "data's, or found from the header]",
        ),
        click.option("--text-column", help="Column of the text.  [default: the run's data's]"),
        click.option(
            "--file",
            "file",
            type=click.Path(path_type=Path),
            help="Read texts from a file: one a line, or a column of a .csv, .tsv or .jsonl.",
        ),
        click.argument("texts", nargs=-1),
    ):
        command = decorate(command)
    return command


class TextSource:
    """The texts of a command, read as they are asked for.

    Args:
        texts: The arguments; `-` alone is stdin.
        file: The file, if one is given.
        text_column: The column of its texts; None: that of the run's data.
        delimiter: What stands between its columns; None: that of the run's data.
        encoding: Of the file or of stdin; None: that of the run's data.
        skip_bad_rows: Whether rows that cannot be used are passed over.

    Raises:
        click.UsageError: No texts are given, or in two ways, or with an option that says nothing
            about them.
        DataError: The file is missing.
    """

    def __init__(
        self,
        texts: tuple[str, ...],
        *,
        file: Path | None,
        text_column: str | None,
        delimiter: str | None,
        encoding: str | None,
        skip_bad_rows: bool,
    ) -> None:
        if (file is None) == (not texts) or (STDIN in texts and len(texts) > 1):
            raise click.UsageError("give either TEXTS, or - for stdin, or --file.")
        self._path = file if file is not None else Path(STDIN) if texts == (STDIN,) else None
        self._texts = texts
        given = {"--text-column": text_column, "--delimiter": delimiter, "--encoding": encoding}
        for option in _unused_options(self._path):
            if given[option] is not None:
                raise click.UsageError(f"{option} says nothing about {_described(self._path)}.")
        if file is not None and str(file) != STDIN and not os.path.exists(file):
            raise DataError(f"{file}: expected a file, got none; check the path.")
        self._given = {name: value for name, value in given.items() if value is not None}
        self._skip = skip_bad_rows
        self._notices: list[str] = []
        self._bad: deque[tuple[int, str]] = deque()
        self._good = self._skipped = self._blank = 0
        self._ended = False

    def read(self, data: DataConfig | TextConfig) -> Iterator[str]:
        """The texts, one after the other.

        Args:
            data: What the run knows of its data, the default of what the options do not say.

        Raises:
            DataError: The file cannot be read, or one of its rows where none are to be skipped.
            ConfigError: The encoding or the separator is none.
        """
        for text in self._read(data):
            self._good += 1
            self._blank += not text.strip()
            yield text
        self._ended = True

    def _read(self, data: DataConfig | TextConfig) -> Iterator[str]:
        if self._path is None:
            yield from map(printable, self._texts)
            return
        from textrnn.data import read_texts

        yield from read_texts(
            self._path,
            self._format(data),
            notices=self._notices,
            on_bad_row=self._note_bad_row if self._skip else None,
        )

    def in_order(self, answers: Iterable[A]) -> Iterator[A | BadRow]:
        """The answers to the texts, with a `BadRow` in the place of each row without one."""
        done = 0
        for answer in answers:
            yield from self._due(done)
            yield answer
            done += 1
        yield from self._due(done)

    def report(self, reporter: Reporter) -> None:
        """Reports, after the last answer, what was not an ordinary text."""
        if self._path is None and len(self._texts) == 1 and os.path.isfile(self._texts[0]):
            reporter.message(
                f"note: the text is the name of a file; to read it, pass --file {self._texts[0]}."
            )
        if self._ended and self._good + self._skipped == 0:
            reporter.message("note: there is no text to answer.")
        for notice in self._notices:
            reporter.message(f"note: {notice}")
        if self._blank:
            blank = "1 text is" if self._blank == 1 else f"{self._blank:,} texts are"
            reporter.message(
                f"note: {blank} blank; the answer to a blank text is that of no words at all."
            )

    def _due(self, done: int) -> Iterator[BadRow]:
        while self._bad and self._bad[0][0] <= done:
            yield BadRow(self._bad.popleft()[1])

    def _note_bad_row(self, reason: str) -> None:
        self._skipped += 1
        self._bad.append((self._good, reason))

    def _format(self, data: DataConfig | TextConfig) -> FileFormat:
        from textrnn.config.data import separator
        from textrnn.data import FileFormat

        delimiter = self._given.get("--delimiter", data.delimiter)
        return FileFormat(
            text_column=self._given.get("--text-column", data.text_column),
            label_column=getattr(data, "label_column", "label"),
            encoding=self._given.get("--encoding", data.encoding),
            delimiter=None if delimiter is None else separator(delimiter),
        )


def _unused_options(path: Path | None) -> tuple[str, ...]:
    """The options that have no meaning for texts from there."""
    if path is None:
        return ("--text-column", "--delimiter", "--encoding")
    from textrnn.data.text_files import has_columns

    if not has_columns(path):
        return ("--text-column", "--delimiter")
    return ("--delimiter",) if ".jsonl" in path.suffixes else ()


def _described(path: Path | None) -> str:
    if path is None:
        return "texts that are given as arguments"
    name = "stdin" if str(path) == STDIN else str(path)
    return f"{name}, which holds no columns" if ".jsonl" not in path.suffixes else name


def printable(text: str) -> str:
    """The text, U+FFFD standing for the lone surrogates that bytes of no encoding arrive as."""
    return text.encode("utf-16", errors="surrogatepass").decode("utf-16", errors="replace")
