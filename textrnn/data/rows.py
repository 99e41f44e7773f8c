"""The rows of a source, and the checks that turn them into a `Split`."""

from __future__ import annotations

import json
from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data.column_store import LabelColumn, TextColumn
from textrnn.data.corpus import Split
from textrnn.data.label_checks import check_labels
from textrnn.data.label_spelling import merge_spellings
from textrnn.data.labels import LabelReader, RowError, as_json, check_unicode
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
    check_unicode(text, encoding)
    if "\0" in text:
        raise RowError("expected text, got a NUL byte; check the --encoding")
    return text


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
    """

    def __init__(
        self,
        config: ClassifierRunConfig,
        *,
        where: str,
        notices: list[str],
        known: Collection[str] | None = None,
        keep_blank: bool = True,
    ) -> None:
        self._config, self._where, self._notices = config, where, notices
        self._known, self._keep_blank = known, keep_blank
        self._reader = LabelReader(config, known)
        self._codes = array("i")  # The place of each text's labels in `_label_sets`.
        self._label_sets: dict[tuple[str, ...], int] = {}
        self._places = array("q")
        self._cells: Counter[str] = Counter()  # Label cells as they are written.
        self._bad = self._bad_lines = self._blank = 0
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
            left_out = counted(self._bad + self._blank, "row")
            raise DataError(
                f"{self._where}: expected texts with labels, got none ({left_out} left out); "
                "check the file."
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
        return Split(texts, labels, np.array(self._places, np.int64))

    def _valid_texts(self, rows: Iterable[Row]) -> Iterator[str]:
        """Yields the texts of the valid rows, and collects their labels and places."""
        for place, row in enumerate(rows):
            text = self._valid_text(row)
            if text is not None:
                self._places.append(place)
                yield text

    def _valid_text(self, row: Row) -> str | None:
        """Returns the text of a row whose labels it collects, or None if it is left out."""
        try:
            text = check_text(row, encoding=self._config.data.encoding)
            labels = self._reader.read(row.label)
        except RowError as problem:
            if not self._config.data.skip_bad_rows:
                raise DataError(f"{row.origin}: {problem}, or pass --skip-bad-rows.") from None
            self._bad, self._bad_lines = self._bad + 1, self._bad_lines + row.lines
            self._first_problem = self._first_problem or f"{row.origin}: {problem}"
            return None
        if not self._keep_blank and not text.strip():
            self._blank += 1
            return None
        self._codes.append(self._label_sets.setdefault(labels, len(self._label_sets)))
        cell = row.label
        self._cells[cell if isinstance(cell, str) else json.dumps(cell, default=repr)] += 1
        return text

    def _report(self) -> None:
        if self._bad:
            lines = f" of {self._bad_lines:,} lines" if self._bad_lines > self._bad else ""
            self._notices.append(
                f"{self._where}: {counted(self._bad, 'bad row')}{lines} left out (the first: "
                f"{self._first_problem})."
            )
        if self._blank:
            self._notices.append(
                f"{self._where}: {counted(self._blank, 'row')} with an empty text left out."
            )
