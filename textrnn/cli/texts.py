"""The texts that a command answers: arguments, the rows of a file, or the lines of stdin."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import click

from textrnn.cli.flags import flags_in_message
from textrnn.cli.text_options import TextOptions

if TYPE_CHECKING:
    from textrnn.cli.engine import LineReporter
    from textrnn.config.data import DataConfig
    from textrnn.config.language_model import TextConfig
    from textrnn.progress import Reporter

__all__ = ["BadRow", "TextSource", "printable"]

A = TypeVar("A")


class BadRow(NamedTuple):
    """Takes the place of an answer for a row that cannot be read."""

    reason: str


class TextSource:
    """Reads the texts of a command one by one, and counts what needs a note to the user.

    >>> from textrnn.config.data import DataConfig
    >>> source = TextSource(TextOptions(texts=("one", "two")))
    >>> list(source.read(DataConfig()))
    ['one', 'two']

    Args:
        options: The options that name the texts.

    Raises:
        click.UsageError: The options name no source of texts, or more than one.
        DataError: The file is missing.
    """

    def __init__(self, options: TextOptions) -> None:
        options.check()
        self._options = options
        self._notices: list[str] = []
        # Number of texts before each bad row that is not printed yet, and the reason.
        self._bad_rows: deque[tuple[int, str]] = deque()
        self._text_count = self._bad_count = self._blank_count = 0
        self._ended = False

    def read(self, data: DataConfig | TextConfig | None) -> Iterator[str]:
        """Yields the texts.

        Args:
            data: The settings of the run's data, which hold where the options say nothing; None if
                the texts are arguments.

        Raises:
            DataError: The file cannot be read, or a row cannot be read and is not to be skipped.
            ConfigError: The encoding or the delimiter is not valid.
        """
        for text in self._read(data):
            self._text_count += 1
            self._blank_count += not text.strip()
            yield text
        self._ended = True

    def _read(self, data: DataConfig | TextConfig | None) -> Iterator[str]:
        path = self._options.path
        if path is None or data is None:
            yield from map(printable, self._options.texts)
            return
        from textrnn.data import read_texts

        yield from read_texts(
            path,
            self._options.file_format(data),
            notices=self._notices,
            on_bad_row=self._note_bad_row if self._options.skip_bad_rows else None,
        )

    def _note_bad_row(self, reason: str) -> None:
        self._bad_count += 1
        self._bad_rows.append((self._text_count, flags_in_message(reason)))

    def print_answers(
        self,
        answers: Iterable[A],
        line: Callable[[A | BadRow], str],
        *,
        reporter: Reporter | LineReporter,
    ) -> None:
        """Prints one line per row, in the order of the input, and then reports the notes.

        Args:
            answers: The answers to the texts that `read` yields, in their order.
            line: Returns the line for an answer, or for a row that cannot be read.
            reporter: Receives the notes.
        """
        try:
            for answer in self._in_order(answers):
                click.echo(line(answer))
        finally:
            self._report(reporter)

    def _in_order(self, answers: Iterable[A]) -> Iterator[A | BadRow]:
        """Yields the answers, and a `BadRow` at the place of each row that cannot be read."""
        answered = 0
        for answer in answers:
            yield from self._bad_rows_before(answered)
            yield answer
            answered += 1
        yield from self._bad_rows_before(answered)

    def _bad_rows_before(self, answered: int) -> Iterator[BadRow]:
        while self._bad_rows and self._bad_rows[0][0] <= answered:
            yield BadRow(self._bad_rows.popleft()[1])

    def _report(self, reporter: Reporter | LineReporter) -> None:
        """Reports the texts that were not ordinary."""
        options = self._options
        if options.path is None and len(options.texts) == 1 and os.path.isfile(options.texts[0]):
            reporter.message(
                "note: the text is the name of a file; to read the file, pass --file "
                f"{options.texts[0]}."
            )
        if self._ended and self._text_count + self._bad_count == 0:
            reporter.message("note: there is no text to answer.")
        for notice in self._notices:
            reporter.message(f"note: {notice}")
        if self._blank_count:
            count = self._blank_count
            blank = "1 text is" if count == 1 else f"{count:,} texts are"
            reporter.message(
                f"note: {blank} blank; the answer to a blank text is the answer to no words."
            )


def printable(text: str) -> str:
    """Returns the text with U+FFFD in place of each lone surrogate.

    Python makes lone surrogates of the bytes of an argument that are not valid in its encoding.

    >>> printable("a" + chr(0xDCFF))
    'a\ufffd'
    """
    return text.encode("utf-16", errors="surrogatepass").decode("utf-16", errors="replace")
