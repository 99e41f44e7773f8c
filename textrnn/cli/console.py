"""Writes to stdout: names in any encoding, JSON, and tables that fit the terminal."""

from __future__ import annotations

import codecs
import io
import json
import os
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:  # Most commands print no table, and rich takes long to import.
    from rich.console import Console
    from rich.table import Table

__all__ = [
    "fits",
    "print_any_name",
    "print_json",
    "print_table",
    "single_spaced",
    "table_console",
]

FILE_WIDTH = 160
"""Width of a table that goes to a file or a pipe."""


def print_any_name() -> None:
    """Lets stdout print the name of any file.

    The bytes of a name that is not valid UTF-8 are printed unchanged, so that a script can use the
    name. If the encoding of stdout is not a Unicode encoding, the characters that it lacks are
    printed as escapes.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        unicode = codecs.lookup(sys.stdout.encoding).name.startswith("utf-")
        sys.stdout.reconfigure(errors="surrogateescape" if unicode else "backslashreplace")


def print_json(value: object) -> None:
    """Prints a value as JSON, on one line and in ASCII."""
    click.echo(json.dumps(value))


def single_spaced(text: str) -> str:
    """Returns the text on one line, with one space in place of each run of white space.

    >>> single_spaced("a\\nb\\t c ")
    'a b c'
    """
    return " ".join(text.split())


def table_console() -> Console:
    """Returns a console on stdout that is as wide as the terminal or COLUMNS, else wide."""
    from rich.console import Console

    console = Console(highlight=False, emoji=False)
    if console.is_terminal or "COLUMNS" in os.environ:
        return console
    return Console(highlight=False, emoji=False, width=FILE_WIDTH)


def fits(console: Console, table: Table) -> bool:
    """Returns whether the console has room for the table without wrapping a cell."""
    boundless = console.options.update(max_width=10_000)
    return console.measure(table, options=boundless).maximum <= console.width


def print_table(console: Console, table: Table) -> None:
    """Prints a table; a narrow console gets it without inner lines.

    A cell that is still too wide continues on the next line; nothing is cut off.
    """
    from rich import box

    for column in table.columns:
        column.overflow = "fold"
    if not fits(console, table):
        table.box, table.padding, table.pad_edge = box.SIMPLE_HEAD, (0, 0), False
    console.print(table)
