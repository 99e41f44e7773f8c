"""The rows of a source, and the checks that turn them into a `Split`."""

from __future__ import annotations

import json
from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data.column_store import LabelColumn, TextColumn
from textrnn.data.corpus import Split
from textrnn.data.label_checks import check_labels
from textrnn.data.label_spelling import merge_spellings
from textrnn.data.labels import (
    EncodingError,
    LabelReader,
    RowError,
    UnknownLabelError,
    as_json,
    check_unicode,
)
from textrnn.data.times import TimeReader
from textrnn.errors import DataError
from textrnn.messages.wording import counted

__all__ = ["Row", "RowError", "SplitBuilder", "check_text"]


class Row(NamedTuple):
    """One row of a source, or the reason why it could not be read.

    Attributes:
        origin: Where the row is: the path and line of a file, or a description.
        text: The text; a `str` in a valid row.
        label: The label or labels as the source has them; None if there is none.
        problem: What is wrong with the row, or ""; with a problem, text and label mean nothing.
        lines: The number of lines in the file that the row takes.
    """

    origin: str
    text: object = ""
    label: object = None
    problem: str = ""
    lines: int = 1


def check_text(row: Row, *, encoding: str) -> str:
    """Returns the text of a row.

    Raises:
        RowError: The row could not be read, or its text is not valid Unicode text.
    """
    if row.problem:
        raise RowError(row.problem)
    text = row.text
    if not isinstance(text, str):
        raise RowError(f"expected a string as text, got {as_json(text)}; write it as a string")
    check_unicode(text, encoding, origin=row.origin)
    if "\0" in text:
        raise RowError("expected text, got a NUL byte; check the `encoding`")
    return text


_MANY_ROWS, _MUCH = 20, 0.05
"""A note on bad rows names their share of this many rows and more, from this share on."""


class SplitBuilder:
    """Collects the valid rows of a source into a split, and counts the others.

    >>> builder = SplitBuilder(ClassifierRunConfig(), where="reviews.csv", notices=[])
    >>> split = builder.build([Row("line 2", "a good film", "pos"), Row("line 3", "dull", "neg")])
    >>> split.labels
    [('pos',), ('neg',)]

    Args:
        config: Says how labels are written, and whether bad rows are skipped.
        where: The name of the source, for messages.
        notices: Receives one sentence for each kind of row that is left out.
        known: The labels allowed. None allows any, and checks whether they look like classes.
        keep_blank: Whether texts of white space only are kept.
        other_columns: Whether a label is a dictionary of the columns that the settings name: that
            of the label, or those of the labels, and that of the groups or times.
    """

    def __init__(
        self,
        config: ClassifierRunConfig,
        *,
        where: str,
        notices: list[str],
        known: Collection[str] | None = None,
        keep_blank: bool = True,
        other_columns: bool = False,
    ) -> None:
        self._config, self._where, self._notices = config, where, notices
        self._known, self._keep_blank, self._other_columns = known, keep_blank, other_columns
        self._time_reader = TimeReader()
        self._groups: list[str] = []
        self._times: list[float] = []
        self._reader = LabelReader(config, known)
        self._codes = array("i")  # The place of each text's labels in `_label_sets`.
        self._label_sets: dict[tuple[str, ...], int] = {}
        self._places = array("q")
        self._cells: Counter[str] = Counter()  # Label cells as they are written.
        self._bad = self._bad_lines = self._blank = self._unknown = 0
        self._first_problem = ""

    def build(self, rows: Iterable[Row]) -> Split:
        """Reads all rows, once and in order.

        Raises:
            DataError: A row is bad and `skip_bad_rows` is off, no row is left, or the labels do not
                look like classes.
        """
        import numpy as np

        texts = TextColumn.of(self._valid_texts(rows))
        self._report()
        if not len(texts):
            left_out = f"{counted(self._bad + self._blank, 'row')} left out"
            if self._first_problem:
                left_out += f", the first: {self._first_problem}"
            elif self._blank:
                left_out += " because of an empty text"
            raise DataError(
                f"{self._where}: expected texts with labels, got none ({left_out}); check the file."
            )
        labels = LabelColumn(np.array(self._codes, np.int32), list(self._label_sets))
        if self._known is None:
            labels = merge_spellings(
                labels, self._reader.spellings, notices=self._notices, where=self._where
            )
            check_labels(
                labels,
                self._cells,
                config=self._config,
                notices=self._notices,
                where=self._where,
            )
        places = np.array(self._places, np.int64)
        groups, times = self._groups or None, self._times or None
        return Split(texts, labels, places, groups=groups, times=times)

    def _valid_texts(self, rows: Iterable[Row]) -> Iterator[str]:
        """Yields the texts of the valid rows, and collects their labels and places."""
        for place, row in enumerate(rows):
            text = self._valid_text(row, place)
            if text is not None:
                yield text

    def _valid_text(self, row: Row, place: int) -> str | None:
        """Returns the text of a row whose labels it collects, or None if it is left out."""
        data = self._config.data
        cell, group, time = row.label, None, None
        try:
            text = check_text(row, encoding=data.encoding)
            if self._other_columns:
                cells = self._cells_of(row)
                cell = cells if self._config.task.label_columns else cells[data.label_column]
                group, time = cells.get(data.group_column or ""), cells.get(data.time_column or "")
            labels = self._reader.read(cell, origin=row.origin)
            moment = self._time_reader.read(time) if data.time_column and self._other_columns else 0
        except RowError as problem:
            if not self._config.data.skip_bad_rows:
                # Rows of another encoding are no exceptions: most of a file may be left out.
                wrong = isinstance(problem, EncodingError)
                or_skip = "" if wrong else ", or set `skip_bad_rows=True`"
                raise DataError(f"{row.origin}: {problem}{or_skip}.") from None
            self._bad, self._bad_lines = self._bad + 1, self._bad_lines + row.lines
            self._unknown += isinstance(problem, UnknownLabelError)
            self._first_problem = self._first_problem or f"{row.origin}: {problem}"
            return None
        if not self._keep_blank and not text.strip():
            self._blank += 1
            return None
        self._codes.append(self._label_sets.setdefault(labels, len(self._label_sets)))
        self._places.append(place)
        if self._other_columns and data.group_column:
            # Rows without a group belong to no other row.
            self._groups.append(f"= {group}" if _is_filled(group) else f"row {place}")
        if self._other_columns and data.time_column:
            self._times.append(moment)
        self._cells[cell if isinstance(cell, str) else json.dumps(cell, default=repr)] += 1
        return text

    def _cells_of(self, row: Row) -> Mapping[str, object]:
        """Returns the cells of a row by their columns.

        Raises:
            DataError: The source has no columns.
        """
        if isinstance(row.label, Mapping):
            return row.label
        name = self._config.data.group_column or self._config.data.time_column
        raise DataError(
            f"{row.origin}: expected a column {name!r} beside the label, got texts without "
            "columns; use a file with columns, or leave `group_column` and `time_column` out."
        )

    def _report(self) -> None:
        if self._bad:
            lines = f" of {self._bad_lines:,} lines" if self._bad_lines > self._bad else ""
            total = self._bad + self._blank + len(self._codes)
            many = total >= _MANY_ROWS and self._bad >= _MUCH * total
            percent = f", {self._bad / total:.0%} of all," if many else ""
            self._notices.append(
                f"{self._where}: {counted(self._bad, 'bad row')}{lines}{percent} left out (the "
                f"first: {self._first_problem})."
            )
        if self._unknown:
            self._notices.append(
                f"{self._where}: {counted(self._unknown, 'of these has', 'of these have')} a label "
                "that the training data does not have; no answer could be right, and the figures "
                "do not count that."
            )
        if self._blank:
            self._notices.append(
                f"{self._where}: {counted(self._blank, 'row')} with an empty text left out."
            )


def _is_filled(cell: object) -> bool:
    """Returns whether a cell has a value."""
    return cell is not None and cell == cell and str(cell).strip() != ""
