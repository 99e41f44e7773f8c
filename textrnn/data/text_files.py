"""The user's own files: tables (.csv, .tsv), .jsonl, a folder per class, one text per line.

Each file may be compressed (.gz). Rows are read one by one, so the memory needed does not depend on
the size of a file. A row that cannot be read becomes a `Row` with a problem; a file that cannot be
read is a `DataError`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.data import separator
from textrnn.config.section import listed_names
from textrnn.data.delimiters import DELIMITERS, Column
from textrnn.data.folders import class_files
from textrnn.data.labels import check_unicode
from textrnn.data.opening import open_text
from textrnn.data.rows import Row, RowError, check_text
from textrnn.data.tables import TableFormat, read_table
from textrnn.errors import DataError
from textrnn.messages.wording import counted, quoted

__all__ = ["FileFormat", "has_columns", "read_rows", "read_texts", "stdin_text", "stem"]

_NO_TEXTS = frozenset(
    {".json", ".xlsx", ".xls", ".ods", ".parquet", ".arrow", ".feather", ".pdf", ".docx", ".odt"}
    | {".html", ".xml", ".zip", ".tar", ".bz2", ".xz", ".zst", ".pkl", ".npy", ".sqlite", ".db"}
)
"""Extensions of files whose lines are not texts."""


@dataclass(frozen=True)
class FileFormat:
    """The format of the files of a data set.

    >>> FileFormat(text_column="review", encoding="latin-1").label_column
    'label'

    Attributes:
        text_column: The column or JSON key of the text.
        label_column: The column or JSON key of the label.
        label_columns: Columns of 0 and 1, one per label, which replace `label_column`.
        encoding: The character encoding.
        delimiter: The character between the columns of a table; None detects it from the header.
        check_labels: Whether folders that look like splits are an error.
        other_columns: Columns that are read beside the label, of which each row is a dictionary.
    """

    text_column: str = "text"
    label_column: str = "label"
    label_columns: tuple[str, ...] = ()
    encoding: str = "utf-8"
    delimiter: str | None = None
    check_labels: bool = True
    other_columns: tuple[Column, ...] = ()

    @classmethod
    def of(cls, config: ClassifierRunConfig) -> FileFormat:
        """Returns the format that the settings describe."""
        return cls(
            text_column=config.data.text_column,
            label_column=config.data.label_column,
            label_columns=listed_names(config.task.label_columns),
            encoding=config.data.encoding,
            delimiter=None if config.data.delimiter is None else separator(config.data.delimiter),
            check_labels=config.task.check_labels,
        )


def read_rows(
    path: str | Path,
    form: FileFormat,
    *,
    labelled: bool = True,
    notices: list[str] | None = None,
) -> Iterator[Row]:
    """Reads the rows of a .csv, .tsv or .jsonl file (or .gz) or of a folder per class.

    Args:
        path: The file or folder.
        form: The format.
        labelled: Whether rows have labels; if not, only texts are read.
        notices: Receives a sentence for each kind of row that is unusual or left out, after the
            last row has been read.

    Raises:
        DataError: The file is missing, damaged or of an unknown format, or it lacks a column.
        ConfigError: The encoding is unknown.
    """
    path = Path(path)
    notices = [] if notices is None else notices
    if os.path.isdir(path):
        yield from _read_folder(path, form, notices)
        return
    kind = _kind(path)
    table = _table_format(form, labelled=labelled)
    if kind in DELIMITERS:
        with open_text(path, form.encoding, newline="") as lines:
            yield from read_table(lines, path, form=table, notices=notices)
    elif kind == ".jsonl":
        with open_text(path, form.encoding, newline="\n") as lines:
            yield from _read_json_lines(lines, path, columns=table.columns, notices=notices)
    else:
        raise DataError(
            f"{path}: expected a .csv, .tsv or .jsonl file (or .gz) or a folder with one "
            f"sub-folder per class, got {kind or 'no extension'}; convert or rename it."
        )


def _table_format(form: FileFormat, *, labelled: bool) -> TableFormat:
    columns = [Column(form.text_column, "--text-column")]
    labels = [Column(name, "--label-columns") for name in form.label_columns]
    labels = labels or [Column(form.label_column, "--label-column")]
    if labelled:
        columns += [*labels, *form.other_columns]
    return TableFormat(columns, labels[0], form.delimiter)


def read_texts(
    path: str | Path,
    form: FileFormat | None = None,
    *,
    notices: list[str] | None = None,
    on_bad_row: Callable[[str], None] | None = None,
) -> Iterator[str]:
    """Reads texts without labels, in order and with constant memory.

    Reads the text column of a .csv, .tsv or .jsonl file, and one text per line of any other file;
    each may be compressed (.gz). The path "-" is standard input, with one text per line.

    Args:
        path: The file.
        form: The format; None means UTF-8 and a text column named `text`.
        notices: Receives a sentence for each kind of row that is unusual or left out, after the
            last row has been read.
        on_bad_row: Called with the reason in place of each row that cannot be used; None makes
            such a row an error.

    Raises:
        DataError: The file or one of its rows cannot be read.
        ConfigError: The encoding is unknown.
    """
    path, form = Path(path), form or FileFormat()
    if os.path.isdir(path):
        raise DataError(f"{path}: expected a file, got a folder; name a file in it.")
    kind = _kind(path)
    if kind in _NO_TEXTS:
        raise DataError(
            f"{path}: expected one text per line, or a .csv, .tsv or .jsonl file, got {kind}; save "
            "it as one of these."
        )
    if has_columns(path):
        rows = read_rows(path, form, labelled=False, notices=notices)
    else:
        rows = _read_lines(path, form.encoding)
    for row in rows:
        try:
            text = check_text(row, encoding=form.encoding)
        except RowError as problem:
            if on_bad_row is None:
                raise DataError(f"{row.origin}: {problem}.") from None
            on_bad_row(f"{row.origin}: {problem}")
            continue
        yield text


def stdin_text(encoding: str) -> str:
    """Reads standard input as one text, without the line ends at its end.

    Raises:
        DataError: The text does not have this encoding.
        ConfigError: The encoding is unknown.
    """
    path = Path("-")
    with open_text(path, encoding, newline="") as lines:
        text = lines.read().rstrip("\r\n")
    try:
        return check_text(Row("stdin", text), encoding=encoding)
    except RowError as problem:
        raise DataError(f"stdin: {problem}.") from None


def has_columns(path: str | Path) -> bool:
    """Returns whether the texts of a file are in a column, instead of one per line."""
    return _kind(Path(path)) in (*DELIMITERS, ".jsonl")


def stem(path: str | Path) -> str:
    """Returns the name of a file without .gz and its extension.

    >>> stem("data/reviews.csv.gz")
    'reviews'
    """
    path = Path(path).resolve()
    return path.name if os.path.isdir(path) else Path(_uncompressed(path)).stem


def _uncompressed(path: Path) -> str:
    return path.name[: -len(".gz")] if path.suffix.lower() == ".gz" else path.name


def _kind(path: Path) -> str:
    return Path(_uncompressed(path)).suffix.lower()


def _read_json_lines(
    lines: TextIO, path: Path, *, columns: Sequence[Column], notices: list[str]
) -> Iterator[Row]:
    blank = 0
    for number, line in enumerate(lines, start=1):
        line = line.removeprefix("\ufeff")
        if line.strip():
            yield _parse_json_line(line, f"{path}:{number}", columns)
        else:
            blank += 1
    if blank:
        notices.append(f"{path}: {counted(blank, 'blank line')} skipped.")


def _parse_json_line(line: str, origin: str, columns: Sequence[Column]) -> Row:
    try:
        item = json.loads(line)
    except (ValueError, RecursionError) as error:
        # `str(error)` would name line 1, because each line is parsed alone.
        reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        problem = f"expected a JSON object, got invalid JSON ({reason}); correct it"
        return Row(origin, problem=problem)
    if not isinstance(item, dict):
        problem = f"expected a JSON object, got {type(item).__name__}; correct the line"
        return Row(origin, problem=problem)
    for column in columns:
        if column.name not in item:
            problem = (
                f"expected the key {column.name!r}, got {quoted(item)}; pass {column.option} or "
                "add it"
            )
            return Row(origin, problem=problem)
    text, *labels = [item[column.name] for column in columns]
    if len(labels) > 1:
        names = [column.name for column in columns[1:]]
        return Row(origin, text, dict(zip(names, labels, strict=True)))
    return Row(origin, text, *labels)


def _read_lines(path: Path, encoding: str) -> Iterator[Row]:
    # Only a line feed ends a line, as for `wc -l` and `paste`.
    name = "stdin" if str(path) == "-" else path
    with open_text(path, encoding, newline="\n") as lines:
        for number, line in enumerate(lines, start=1):
            text = line.removeprefix("\ufeff").removesuffix("\n").removesuffix("\r")
            yield Row(f"{name}:{number}", text)


def _read_folder(folder: Path, form: FileFormat, notices: list[str]) -> Iterator[Row]:
    classes = class_files(folder, check_labels=form.check_labels)
    notices += classes.notices
    for label, path in classes.files:
        with open_text(path, form.encoding, newline="") as lines:
            text = lines.read()
        problem = ""
        try:
            check_unicode(label, "utf-8")
        except RowError:
            problem = "expected a folder whose name is UTF-8 text, got other bytes; rename it"
        yield Row(str(path), text, label, problem)
