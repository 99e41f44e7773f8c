"""The interface of the writers of tables: a table is written in parts, which are joined at the end.

The bytes of a part depend on its rows alone, and those of the file on the parts alone. A job that
was stopped therefore continues after its last part, and ends with the same file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from textrnn.errors import DataError
from textrnn.messages.wording import quoted

__all__ = ["Layout", "MakeWriter", "TableWriter", "check_different_names", "valid_text"]


@dataclass(frozen=True)
class Layout:
    """The columns of a table that is written.

    Attributes:
        kept: The names of the columns of the input.
        added: The type of each further column, by its name: `str`, `int`, `float` or `bool`.
        schema: The pyarrow schema of the columns of the input; None if their types are unknown.
    """

    kept: tuple[str, ...]
    added: Mapping[str, type] = field(default_factory=dict)
    schema: Any = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all columns, in order."""
        return (*self.kept, *self.added)


class TableWriter(Protocol):
    """Writes a table in one format."""

    def part(self, rows: Sequence[Sequence[object]]) -> bytes:
        """Returns the bytes of some rows.

        Args:
            rows: The cells of each row; `ABSENT` is a cell that the row does not have.
        """

    def join(self, parts: Iterable[Path], file: BinaryIO) -> None:
        """Writes the file that consists of these parts.

        Args:
            parts: The files of the parts, in order.
            file: The file.
        """


MakeWriter = Callable[[Layout], TableWriter]
"""Makes the writer of a table; raises DataError if the format cannot hold its columns."""


def check_different_names(layout: Layout, kind: str) -> None:
    """Raises DataError if two columns have the same name, which the format cannot tell apart."""
    twice = [name for name, count in Counter(layout.names).items() if count > 1]
    if twice:
        raise DataError(
            f"expected columns with different names for {kind}, got {quoted(twice[:10])} more than "
            "once; rename the columns, or write a .csv file."
        )


def valid_text(text: str) -> str:
    """Returns a text with U+FFFD in place of each lone surrogate, which no file can hold.

    >>> valid_text("a" + chr(0xDCFF))
    'a\ufffd'
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
