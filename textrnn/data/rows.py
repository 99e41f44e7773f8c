"""Rows as they stand in a source, and the checks that make a `Split` of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable
from typing import NamedTuple

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data.corpus import Split
from textrnn.data.label_checks import check_labels, one_spelling
from textrnn.data.labels import BadRow, LabelReader, check_unicode, shown
from textrnn.errors import DataError

__all__ = ["BadRow", "Record", "check_text", "collect"]


class Record(NamedTuple):
    """One row: where it stands and what it holds, or why it could not be read.

    Attributes:
        origin: The path and line, or whatever else leads the user to the row.
        text: The text, a `str` in a good row.
        label: The label or labels, not parsed yet; None where there is none.
        problem: What is wrong with the row; text and label do not count then.
        lines: How many lines of the file the row takes.
    """

    origin: str
    text: object = ""
    label: object = None
    problem: str = ""
    lines: int = 1


def check_text(record: Record, *, encoding: str) -> str:
    """The record's text.

    Raises:
        BadRow: The row could not be read, or its text is no valid Unicode text.
    """
    if record.problem:
        raise BadRow(record.problem)
    text = record.text
    if not isinstance(text, str):
        raise BadRow(f"expected a string as text, got {shown(text)}; put the text in quotes")
    check_unicode(text, encoding)
    if "\0" in text:
        raise BadRow("expected text, got a NUL byte; check the --encoding")
    return text


def collect(
    records: Iterable[Record],
    *,
    config: ClassifierRunConfig,
    where: str,
    notices: list[str],
    known: Collection[str] | None = None,
    keep_blank: bool = True,
) -> Split:
    """Makes a split of all good rows.

    Args:
        records: The rows, in order; read once, and not kept.
        config: Says how labels are written and whether bad rows are skipped.
        where: What the rows come from, for messages.
        notices: Receives a sentence for each kind of row that is left out.
        known: The only labels allowed; None allows any, and checks what they look like.
        keep_blank: Whether texts of nothing but white space stay.

    Raises:
        DataError: A row is bad and `config.data.skip_bad_rows` is off, no row is left, or the labels
            cannot have been meant.
    """
    reader = LabelReader(config, known)
    texts: list[str] = []
    labels: list[tuple[str, ...]] = []
    cells: Counter[str] = Counter()
    bad, bad_lines, blank, first_problem = 0, 0, 0, ""
    for record in records:
        try:
            text = check_text(record, encoding=config.data.encoding)
            row_labels = reader.read(record.label)
        except BadRow as problem:
            if not config.data.skip_bad_rows:
                raise DataError(f"{record.origin}: {problem}, or pass --skip-bad-rows.") from None
            bad, bad_lines = bad + 1, bad_lines + record.lines
            first_problem = first_problem or f"{record.origin}: {problem}"
            continue
        if not keep_blank and not text.strip():
            blank += 1
            continue
        texts.append(text)
        labels.append(row_labels)
        label = record.label
        cells[label if isinstance(label, str) else json.dumps(label, default=repr)] += 1
    if bad:
        lines = f" of {bad_lines:,} lines" if bad_lines > bad else ""
        notices.append(
            f"{where}: {bad} bad {_rows(bad)}{lines} left out (the first: {first_problem})."
        )
    if blank:
        notices.append(f"{where}: {blank} {_rows(blank)} with an empty text left out.")
    if not texts:
        raise DataError(
            f"{where}: expected texts with labels, got none ({bad + blank} rows left out); "
            "check the file."
        )
    if known is None:
        labels = one_spelling(labels, reader.spelt, notices, where=where)
        check_labels(labels, cells, notices, config=config, where=where)
    return Split(texts, labels)


def _rows(count: int) -> str:
    return "row" if count == 1 else "rows"
