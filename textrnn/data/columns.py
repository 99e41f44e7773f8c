"""The columns that are read of a table, and how the cells of a record become a row."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from textrnn.config.section import listed_names
from textrnn.data.rows import Row

__all__ = ["ABSENT", "Column", "Record", "RowPicker", "joined_text"]


class _Absent:
    """The type of `ABSENT`."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = _Absent()
"""The cell of a record that lacks the column, as an object of a .jsonl file may lack a key."""


class Column(NamedTuple):
    """A column that is read, and the setting that names it.

    >>> Column("title,body", "text_column", several=True).names_in(["id", "title", "body"])
    ('title', 'body')

    Attributes:
        name: The name; or several names with commas between them.
        setting: The setting that names the column, for messages.
        several: Whether the name may be the names of several columns.
    """

    name: str
    setting: str
    several: bool = False

    @property
    def parts(self) -> tuple[str, ...]:
        """The single names in a name with commas; only the name itself in any other."""
        parts = listed_names(self.name) if self.several else ()
        return tuple(dict.fromkeys(filter(None, parts))) or (self.name,)

    def names_in(self, header: Collection[str]) -> tuple[str, ...]:
        """Returns the names of the header that the column stands for; none if one is missing.

        A name of the header that contains the commas itself has precedence.
        """
        if self.name in header:
            return (self.name,)
        return self.parts if all(part in header for part in self.parts) else ()


class Record(NamedTuple):
    """The cells of one row of a table.

    Attributes:
        origin: Where the row is: the path and line of a file, or a description.
        cells: The cells, in the order of the table's columns; none with a problem.
        problem: What is wrong with the row, or "".
        lines: The number of lines in the file that the row takes.
    """

    origin: str
    cells: Sequence[object] = ()
    problem: str = ""
    lines: int = 1


class RowPicker:
    r"""Picks the text and the labels out of records.

    >>> columns = [Column("title,body", "text_column", several=True), Column("label", "")]
    >>> picker = RowPicker(columns, ["title", "body", "label"], join="\n")
    >>> picker.row(Record("a.csv:2", ["Draw", "A draw in London", "sport"]))[:3]
    ('a.csv:2', 'Draw\nA draw in London', 'sport')

    Args:
        columns: The columns that are read: that of the text, then those of the labels.
        names: The names of the columns of the table, which has all of these columns.
        join: The characters between the texts of several columns.
        class_names: The names of the classes that the integers of a label column stand for, by the
            name of the column.
        numbers_are_text: Whether a number in the column of the text stands for its digits.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        names: Sequence[str],
        *,
        join: str,
        class_names: Mapping[str, Sequence[str]] | None = None,
        numbers_are_text: bool = False,
    ) -> None:
        text, *labels = columns
        self._join, self._numbers_are_text = join, numbers_are_text
        self._text = names.index(text.name) if text.name in names else None
        self._parts = [names.index(part) for part in text.parts if part in names]
        self._labels = [(column.name, names.index(column.name)) for column in labels]
        self._classes = dict(class_names or {})

    def row(self, record: Record) -> Row:
        """Returns the row of a record.

        Its label is the cell if there is one label column. With several, it is a dictionary from
        the names of the columns to their cells.
        """
        origin, cells, problem, lines = record
        if problem:
            return Row(origin, problem=problem, lines=lines)
        label: object = None
        if len(self._labels) == 1:
            ((name, place),) = self._labels
            label = self._label(name, cells[place])
        elif self._labels:
            label = {name: self._label(name, cells[place]) for name, place in self._labels}
        return Row(origin, self._text_of(cells), label, "", lines)

    def _text_of(self, cells: Sequence[object]) -> object:
        if self._text is not None:
            text = cells[self._text]
            if isinstance(text, str):
                return text
            if text is not ABSENT:
                return self._as_text(text)
        return joined_text([self._as_text(cells[place]) for place in self._parts], self._join)

    def _as_text(self, cell: object) -> object:
        is_number = isinstance(cell, int | float) and not isinstance(cell, bool)
        return str(cell) if is_number and self._numbers_are_text else cell

    def _label(self, name: str, cell: object) -> object:
        names = self._classes.get(name) if self._classes else None
        if names is None:
            return None if cell is ABSENT else _python_value(cell)
        if isinstance(cell, list):
            return [_class_name(item, names) for item in cell]
        return _class_name(cell, names)


def joined_text(parts: Sequence[object], join: str) -> object:
    r"""Returns the texts of several columns as one, without those that are null, absent or blank.

    >>> joined_text(["Draw", None, " ", "A draw in London"], "\n")
    'Draw\nA draw in London'

    Returns:
        The text; None if all parts are null or absent; the part that is no text if there is one.
    """
    present = [part for part in parts if part is not None and part is not ABSENT]
    for part in present:
        if not isinstance(part, str):
            return part
    texts = [str(part) for part in present]
    return join.join(text for text in texts if text.strip()) if texts else None


def _python_value(cell: object) -> object:
    """Returns a scalar of pyarrow, such as a time, as a value of Python, or else as its text."""
    as_py = getattr(cell, "as_py", None)
    if as_py is None:
        return cell
    try:
        return as_py()
    except (ValueError, OverflowError):
        return str(cell)


def _class_name(cell: object, names: Sequence[str]) -> object:
    """Returns the name of a class; None for -1, which means no label; else the cell."""
    if not isinstance(cell, int) or isinstance(cell, bool):
        return cell
    if cell == -1:
        return None
    return names[cell] if 0 <= cell < len(names) else cell
