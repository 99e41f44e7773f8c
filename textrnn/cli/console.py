"""Where tables go: stdout, as wide as the terminal, or wide enough for a file or a pipe."""

from __future__ import annotations

import os

from rich.console import Console

__all__ = ["table_console"]

FILE_WIDTH = 160


def table_console() -> Console:
    """A console on stdout; tables are cut short only where a terminal or COLUMNS limits them."""
    console = Console(highlight=False)
    if console.is_terminal or "COLUMNS" in os.environ:
        return console
    return Console(highlight=False, width=FILE_WIDTH)
