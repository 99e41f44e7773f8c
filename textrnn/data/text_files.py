"""Reads the user's own files: tables of several formats, a folder per class, one text per line.

`formats` has one module per format. Rows are read one by one or in small batches, so the memory
needed does not depend on the size of a file. A row that cannot be read becomes a `Row` with a
problem; a file that cannot be read is a `DataError`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from textrnn.config.section import listed_paths
from textrnn.data.file_format import FileFormat
from textrnn.data.folders import class_files
from textrnn.data.formats import BINARY, COLUMNS, LABELLED_LINES
from textrnn.data.formats.table import LABELLED_FILES, TABLE_FILES, Request, Table
from textrnn.data.formats.text_lines import open_text_lines
from textrnn.data.labels import check_unicode
from textrnn.data.opening import open_text
from textrnn.data.paths import input_files, kind, stem
from textrnn.data.rows import Row, RowError, check_text
from textrnn.data.saved_datasets import is_saved_dataset
from textrnn.errors import DataError

__all__ = [
    "FileFormat",
    "has_columns",
    "open_table",
    "read_rows",
    "read_texts",
    "stdin_text",
    "stem",
]

_NO_TEXTS = frozenset(
    {".json", ".xls", ".ods", ".orc", ".avro", ".pdf", ".docx", ".odt", ".html", ".xml", ".zip"}
    | {".tar", ".bz2", ".xz", ".zst", ".pkl", ".npy", ".sqlite", ".db"}
)
"""Extensions of files whose lines are not texts."""


def read_rows(
    path: str | Path,
    form: FileFormat,
    *,
    labelled: bool = True,
    notices: list[str] | None = None,
    split: str | None = None,
) -> Iterator[Row]:
    """Reads the rows of files with columns, of fastText lines, or of a folder per class.

    Args:
        path: The file or folder, a pattern, or several; see `input_files`.
        form: The format.
        labelled: Whether rows have labels; if not, only texts are read.
        notices: Receives a sentence for each kind of row that is unusual or left out, after the
            last row has been read.
        split: The split, `train`, `validation` or `test`, that is read of a folder of splits.

    Raises:
        DataError: A file is missing, damaged or of an unknown format, or it lacks a column.
        ConfigError: The encoding is unknown.
    """
    notices = [] if notices is None else notices
    request = Request(form, labelled=labelled, notices=notices)
    for file in input_files(path, split=split):
        if os.path.isdir(file):
            yield from _read_folder(file, form, notices)
        else:
            with open_table(file, request) as table:
                yield from table.rows(request)


def open_table(path: Path, request: Request) -> AbstractContextManager[Table]:
    """Opens one file as a table.

    A file of texts without labels that has no columns is a table of one column.

    Args:
        path: The file; "-" is standard input.
        request: What is read of the file.

    Raises:
        DataError: The file is of an unknown format.
    """
    extension = kind(path)
    openers = {**COLUMNS, **(LABELLED_LINES if request.labelled else {})}
    if extension in BINARY and path.suffix.lower() == ".gz":
        raise DataError(f"{path}: expected a {extension} file, got a compressed one; unpack it.")
    if extension in openers:
        return openers[extension](path, request)
    if request.labelled:
        raise DataError(
            f"{path}: expected {LABELLED_FILES}, got {extension or 'no extension'}; convert or "
            "rename it."
        )
    if extension in _NO_TEXTS:
        raise DataError(
            f"{path}: expected one text per line, or {TABLE_FILES}, got {extension}; save it as "
            "one of these."
        )
    return open_text_lines(path, request)


def read_texts(
    path: str | Path,
    form: FileFormat | None = None,
    *,
    notices: list[str] | None = None,
    on_bad_row: Callable[[str], None] | None = None,
    split: str | None = None,
) -> Iterator[str]:
    """Reads texts without labels, in order and with constant memory.

    Reads the text column of a file with columns, and one text per line of any other file; text
    files may be compressed (.gz). The path "-" is standard input, with one text per line.

    Args:
        path: The file, a pattern, or several; see `input_files`.
        form: The format; None means UTF-8 and a text column named `text`.
        notices: Receives a sentence for each kind of row that is unusual or left out, after the
            last row has been read.
        on_bad_row: Called with the reason in place of each row that cannot be used; None makes
            such a row an error.
        split: The split, `train`, `validation` or `test`, that is read of a folder of splits.

    Raises:
        DataError: A file or one of its rows cannot be read.
        ConfigError: The encoding is unknown.
    """
    form, notices = form or FileFormat(), [] if notices is None else notices
    request = Request(form, labelled=False, notices=notices)
    for file in input_files(path, split=split):
        if os.path.isdir(file):
            raise DataError(f"{file}: expected a file, got a folder; name a file in it.")
        with open_table(file, request) as table:
            for row in table.rows(request):
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
    """Returns whether the texts of files are in a column, instead of one per line.

    Args:
        path: The file, a pattern, or several.
    """
    return any(
        kind(name) in COLUMNS or is_saved_dataset(Path(name)) for name in listed_paths(str(path))
    )


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
