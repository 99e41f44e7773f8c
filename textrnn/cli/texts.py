"""Texts that are given to a command: as arguments, from a file, or on stdin."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import click

__all__ = ["given_texts", "printable", "text_options"]

F = TypeVar("F", bound=Callable[..., Any])


def text_options(command: F) -> F:
    """Adds the argument TEXTS and the options that say where else texts come from."""
    for decorate in (
        click.option(
            "--encoding", default="utf-8", show_default=True, help="Encoding of the file."
        ),
        click.option(
            "--text-column", default="text", show_default=True, help="Column of the text."
        ),
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


def given_texts(
    texts: tuple[str, ...], *, file: Path | None, text_column: str, encoding: str
) -> Iterable[str]:
    """The texts, one after the other, as they are asked for.

    Raises:
        click.UsageError: None are given, or in two ways.
    """
    if (file is None) == (not texts):
        raise click.UsageError("give either TEXTS, or - for stdin, or --file.")
    if file is not None:
        return _file_texts(file, text_column, encoding)
    return _stdin_lines() if texts == ("-",) else map(printable, texts)


def _file_texts(file: Path, text_column: str, encoding: str) -> Iterator[str]:
    from textrnn.data import read_texts

    yield from read_texts(file, text_column=text_column, encoding=encoding)


def printable(text: str) -> str:
    """The text, U+FFFD standing for the lone surrogates that bytes of no encoding arrive as."""
    return text.encode("utf-16", errors="surrogatepass").decode("utf-16", errors="replace")


def _stdin_lines() -> Iterator[str]:
    for line in sys.stdin.buffer:
        yield line.decode("utf-8", errors="replace").rstrip("\r\n")
