"""Labelled texts in memory: lists, arrays, and columns of tables of pandas, polars or pyarrow.

None of these packages is imported: a column is whatever gives its values as plain objects, by
`to_pylist` (pyarrow), `to_list` (polars), `tolist` (NumPy, pandas) or one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from textrnn.config.data import IN_MEMORY
from textrnn.data.columns import joined_text
from textrnn.data.rows import Row
from textrnn.errors import ConfigError, DataError
from textrnn.messages.wording import counted, quoted

__all__ = [
    "Columns",
    "InMemorySource",
    "NoLongerInMemory",
    "column_values",
    "is_table",
    "labelled_rows",
    "table_rows",
]

_FILES = {"train": "train_file", "validation": "valid_file", "test": "test_file"}
"""The settings that name the file of a split."""

_NO_VALUES = {"NAType", "NaTType"}
"""The types of the missing values of pandas."""


class InMemorySource:
    """Rows in memory as the splits of a data set.

    >>> source = InMemorySource({"train": labelled_rows(["good film", "dull"], ["pos", "neg"])})
    >>> [row.text for row in source.read("train")], source.read("test")
    (['good film', 'dull'], None)

    Args:
        splits: The rows of `train`, and perhaps those of `validation` and `test`.
    """

    label_order: Sequence[str] | None = None

    def __init__(self, splits: Mapping[str, Sequence[Row]]) -> None:
        self.name = IN_MEMORY
        self.notices: list[str] = []
        self._splits = splits

    def read(self, which: str) -> Sequence[Row] | None:
        """Returns the rows of a split; None if it is missing."""
        return self._splits.get(which)


class NoLongerInMemory:
    """The source of a run whose texts were in memory, in a process that does not have them."""

    label_order: Sequence[str] | None = None

    def __init__(self) -> None:
        self.name = IN_MEMORY
        self.notices: list[str] = []

    def read(self, which: str) -> Iterable[Row] | None:
        """Raises DataError, because the texts are lost."""
        raise DataError(
            f"expected the {which} texts of the run, got none: it was trained on texts in memory, "
            f"which were not kept; name labelled texts by `{_FILES[which]}`, or train with "
            "textrnn.fit(..., keep_data=True)."
        )


@dataclass(frozen=True)
class Columns:
    """The names of the columns of a table that are read.

    >>> Columns("review", "stars").text
    'review'

    Attributes:
        text: The column of the texts, or several, whose texts are joined.
        label: The column of the labels, or several columns of 0 and 1, one per label.
        join: The characters between the texts of several columns.
        others: Columns that are read beside the label, of which each row is a dictionary.
    """

    text: str | Sequence[str]
    label: str | Sequence[str]
    join: str = "\n"
    others: tuple[str, ...] = ()


def labelled_rows(texts: Any, labels: Any, *, name: str = "texts") -> list[Row]:
    """Returns texts and labels in memory as the rows of a source.

    A text that is missing or no string, and a missing label, become a row with a problem, which
    says the position.

    >>> labelled_rows(["good film"], ["pos"])
    [Row(origin='texts[0]', text='good film', label='pos', problem='', lines=1)]

    Args:
        texts: A list, an array or a column of strings.
        labels: As many labels: strings, integers or booleans, or lists of them.
        name: The name of the texts in messages.

    Raises:
        DataError: The numbers of texts and labels differ, there is none, or one of them is no
            list, array or column.
    """
    items = column_values(texts, name)
    label_items = column_values(labels, "labels" if name == "texts" else f"{name} labels")
    if len(items) != len(label_items):
        raise DataError(
            f"expected as many labels as texts, got {counted(len(items), 'text')} and "
            f"{counted(len(label_items), 'label')}; pass one label per text."
        )
    if not items:
        raise DataError(f"{name}: expected texts with labels, got none; pass some.")
    return [
        _row(f"{name}[{place}]", text, label)
        for place, (text, label) in enumerate(zip(items, label_items, strict=True))
    ]


def table_rows(table: Any, columns: Columns, *, name: str = "texts") -> list[Row]:
    """Returns the columns of a table in memory as the rows of a source; see `labelled_rows`.

    >>> table = {"title": ["Fine", "No"], "body": ["a film", "dull"], "stars": [5, 1]}
    >>> rows = table_rows(table, Columns(["title", "body"], "stars"))
    >>> rows[1].text, rows[1].label
    ('No\\ndull', 1)

    Args:
        table: A table of pandas, polars or pyarrow, or a dictionary of columns.
        columns: The columns that are read.
        name: The name of the texts in messages.

    Raises:
        ConfigError: The table has no such column.
        DataError: As for `labelled_rows`.
    """
    text_names = [columns.text] if isinstance(columns.text, str) else list(columns.text)
    label_names = [columns.label] if isinstance(columns.label, str) else list(columns.label)
    texts = _column(table, text_names[0])
    if len(text_names) > 1:
        records = _records(table, text_names)
        cells = ([None if _is_missing(cell) else cell for cell in row] for row in records)
        texts = [joined_text(row, columns.join) for row in cells]
    beside = [*label_names, *columns.others]
    labels: Any
    if columns.others or not isinstance(columns.label, str):
        labels = [
            dict(zip(beside, map(_plain, row), strict=True)) for row in _records(table, beside)
        ]
    else:
        labels = _column(table, columns.label)
    return labelled_rows(texts, labels, name=name)


def is_table(value: Any) -> bool:
    """Returns whether a value is a table with named columns."""
    return isinstance(value, Mapping) or hasattr(value, "columns") or hasattr(value, "column_names")


def _records(table: Any, names: Sequence[str]) -> list[tuple[Any, ...]]:
    """Returns the cells of some columns, row by row.

    Raises:
        DataError: The columns have different lengths, as those of a dictionary may have.
    """
    columns = {name: column_values(_column(table, name), name) for name in names}
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{length:,} in {name!r}" for name, length in lengths.items())
        raise DataError(f"expected columns of the same length, got {found} values; correct them.")
    return list(zip(*columns.values(), strict=True))


def _column(table: Any, name: str) -> Any:
    names = list(table) if isinstance(table, Mapping) else None
    if names is None:
        names = list(getattr(table, "column_names", None) or getattr(table, "columns", []))
    if name not in names:
        raise ConfigError(
            f"expected a column {name!r} in the table, got {quoted(map(str, names))}; name the "
            "columns by `text` and `label`."
        )
    return table[name]


def column_values(column: Any, name: str) -> list[Any]:
    """Returns the values of a column as a list of plain objects.

    Raises:
        DataError: It is one text, a set or a table, or has no values.
    """
    if isinstance(column, str | bytes):
        raise DataError(
            f"`{name}` must be a list, got one text, {column[:40]!r}; put it in a list."
        )
    if isinstance(column, set | frozenset):
        raise DataError(f"`{name}` must be a list, got a set, which has no order; pass a list.")
    if is_table(column):
        raise DataError(
            f"`{name}` must be a list, got a {type(column).__name__}; pass one of its columns, or "
            "the whole table alone and the names of its columns as `text` and `label`."
        )
    for method in ("to_pylist", "to_list", "tolist"):
        convert = getattr(column, method, None)
        if convert is not None:
            values = convert()
            return values if isinstance(values, list) else [values]
    if not isinstance(column, Iterable):
        raise DataError(f"`{name}` must be a list, got {column!r}; pass one value per text.")
    return list(column)


def _row(origin: str, text: Any, label: Any) -> Row:
    if _is_missing(text):
        problem = f"expected a string, got {text!r}, a missing value; write '' or leave it out"
        return Row(origin, problem=problem)
    if not isinstance(text, str):
        kind = type(text).__name__
        problem = f"expected a string, got {repr(text)[:40]} ({kind}); pass the texts as strings"
        return Row(origin, problem=problem)
    return Row(origin, str(text), _plain(label))


def _plain(label: Any) -> Any:
    """Returns a label without the types of NumPy and pandas."""
    if isinstance(label, str):
        return str(label)
    if hasattr(label, "tolist"):  # A scalar or an array of NumPy.
        label = label.tolist()
    if isinstance(label, list | tuple | set | frozenset):
        return type(label)(map(_plain, label))
    return None if _is_missing(label) else label


def _is_missing(value: Any) -> bool:
    if isinstance(value, float):
        return value != value
    return value is None or type(value).__name__ in _NO_VALUES
