"""What goes to stdout: any name, and tables as wide as the terminal, or wide enough for a file."""

from __future__ import annotations

import codecs
import io
import os
import sys

from rich import box
from rich.console import Console
from rich.table import Table

__all__ = ["fits", "print_any_name", "print_table", "table_console"]

FILE_WIDTH = 160


def print_any_name() -> None:
    """Has stdout take any name of a file.

    The bytes of a name that is no UTF-8 go out as they are, so that a script can use the name. An
    encoding with few characters gets escapes for the others.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        unicode = codecs.lookup(sys.stdout.encoding).name.startswith("utf-")
        sys.stdout.reconfigure(errors="surrogateescape" if unicode else "backslashreplace")


def table_console() -> Console:
    """A console on stdout; tables are cut short only where a terminal or COLUMNS limits them."""
    console = Console(highlight=False, emoji=False)
    if console.is_terminal or "COLUMNS" in os.environ:
        return console
    return Console(highlight=False, emoji=False, width=FILE_WIDTH)


def fits(console: Console, table: Table) -> bool:
    """Whether a table can be printed with each cell on as many lines as it has."""
    boundless = console.options.update(max_width=10_000)
    return console.measure(table, options=boundless).maximum <= console.width


def print_table(console: Console, table: Table) -> None:
    """Prints a table: without its inner lines where they leave the words too little room.

    What is still too wide goes on in the next line; nothing is cut off.
    """
    for column in table.columns:
        column.overflow = "fold"
    if not fits(console, table):
        table.box, table.padding, table.pad_edge = box.SIMPLE_HEAD, (0, 0), False
    console.print(table)
