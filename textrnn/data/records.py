"""Rows as they stand in a source, and the checks that make a `Split` of them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from typing import NamedTuple

from textrnn.config import DataConfig
from textrnn.data.corpus import Split
from textrnn.errors import DataError

__all__ = ["BadRow", "Record", "check_text", "collect"]


class BadRow(Exception):
    """A row that cannot be used; the message says why, and what to do."""


class Record(NamedTuple):
    """One row: where it stands and what it holds, or why it could not be read.

    Attributes:
        origin: The path and line, or whatever else leads the user to the row.
        text: The text, a `str` in a good row.
        label: The label or labels, not parsed yet; None where there is none.
        problem: What is wrong with the row; text and label do not count then.
    """

    origin: str
    text: object = ""
    label: object = None
    problem: str = ""


def check_text(record: Record, *, encoding: str) -> str:
    """The record's text.

    Raises:
        BadRow: The row could not be read, or its text is no valid Unicode text.
    """
    if record.problem:
        raise BadRow(record.problem)
    text = record.text
    if not isinstance(text, str):
        raise BadRow(f"expected a string as text, got {_shown(text)}; put the text in quotes")
    _check_unicode(text, encoding)
    return text


def _check_unicode(text: str, encoding: str) -> None:
    # Bytes that do not fit the encoding arrive as lone surrogates (see files.py), so that the
    # rows around them can still be read.
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError as error:
        code = ord(text[error.start])
        if 0xDC80 <= code <= 0xDCFF:
            raise BadRow(
                f"expected {encoding} text, got the byte 0x{code - 0xDC00:02x}; save the file as "
                f"{encoding} or pass its --encoding"
            ) from None
        raise BadRow(
            f"expected Unicode text, got the lone surrogate U+{code:04X}; correct the text"
        ) from None


def collect(
    records: Iterable[Record],
    *,
    config: DataConfig,
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
        known: The only labels allowed; None allows any.
        keep_blank: Whether texts of nothing but white space stay.

    Raises:
        DataError: A row is bad and `config.skip_bad_rows` is off, or no row is left.
    """
    texts: list[str] = []
    labels: list[tuple[str, ...]] = []
    parsed: dict[str, tuple[str, ...]] = {}
    bad, blank, first_problem = 0, 0, ""
    for record in records:
        try:
            text = check_text(record, encoding=config.encoding)
            row_labels = parsed.get(record.label) if isinstance(record.label, str) else None
            if row_labels is None:
                row_labels = _parse_labels(record.label, config)
                _check_known(row_labels, known)
                if isinstance(record.label, str):
                    parsed[record.label] = row_labels
        except BadRow as problem:
            if not config.skip_bad_rows:
                raise DataError(f"{record.origin}: {problem}, or pass --skip-bad-rows.") from None
            bad += 1
            first_problem = first_problem or f"{record.origin}: {problem}"
            continue
        if not keep_blank and not text.strip():
            blank += 1
            continue
        texts.append(text)
        labels.append(row_labels)
    if bad:
        notices.append(f"{where}: {bad} bad {_rows(bad)} left out (the first: {first_problem}).")
    if blank:
        notices.append(f"{where}: {blank} {_rows(blank)} with an empty text left out.")
    if not texts:
        raise DataError(
            f"{where}: expected texts with labels, got none ({bad + blank} rows left out); "
            "check the file."
        )
    return Split(texts, labels)


def _parse_labels(value: object, config: DataConfig) -> tuple[str, ...]:
    if config.multi_label:
        if value is None:
            values: list[object] = []
        elif isinstance(value, str):
            values = list(value.split(config.label_separator))
        else:
            values = value if isinstance(value, list) else [value]
        names = [_label_name(item, config) for item in values]
        return tuple(dict.fromkeys(name for name in names if name))
    if isinstance(value, list):
        raise BadRow(f"expected one label, got {_shown(value)}; pass --multi-label")
    name = "" if value is None else _label_name(value, config)
    if not name:
        raise BadRow("expected a label, got none; fill it in")
    return (name,)


def _label_name(value: object, config: DataConfig) -> str:
    if isinstance(value, str):
        name = value.strip()
        _check_unicode(name, config.encoding)
        # A run keeps its label names one a line.
        if len(name.splitlines()) > 1:
            raise BadRow(f"expected a label on one line, got {name!r}; check the quotes")
        return name
    if isinstance(value, int):  # True and False too, written as JSON writes them.
        return json.dumps(value)
    raise BadRow(
        f"expected a string, an integer or a boolean as label, got {_shown(value)}; correct it"
    )


def _check_known(labels: tuple[str, ...], known: Collection[str] | None) -> None:
    for label in labels:
        if known is not None and label not in known:
            shown = ", ".join(list(known)[:10]) + (", ..." if len(known) > 10 else "")
            raise BadRow(
                f"expected a label of the training data ({shown}), got {label!r}; correct it or "
                "train on texts with that label"
            )


def _rows(count: int) -> str:
    return "row" if count == 1 else "rows"


def _shown(value: object) -> str:
    text = json.dumps(value, default=repr)
    return text if len(text) <= 40 else text[:37] + "..."
