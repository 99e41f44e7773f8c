"""The user's own files: tables (.csv, .tsv), .jsonl, a folder per class, texts a line.

Each file may be compressed (.gz). Rows are read one by one, so memory does not grow with a file.
A row that cannot be read becomes a `Record` with a problem; a file that cannot be read is a
`DataError`.
"""

from __future__ import annotations

import codecs
import gzip
import io
import json
import os
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.data import listed_names, separator
from textrnn.data.delimiters import DELIMITERS, Column
from textrnn.data.folders import class_files
from textrnn.data.labels import check_unicode
from textrnn.data.rows import BadRow, Record, check_text
from textrnn.data.tables import names_shown, read_table
from textrnn.errors import ConfigError, DataError

__all__ = ["FileFormat", "has_columns", "read_records", "read_texts", "stdin_text", "stem"]

_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


_CONTAINERS = {
    b"\x1f\x8b": "data packed by gzip; give its name the ending .gz",
    b"PK\x03\x04": "an Excel, Word or zip file; save the table as .csv",
    b"PAR1": "a Parquet file; save the table as .csv",
    b"%PDF": "a PDF; save its text as .txt",
}
"""What files begin with that hold no text as they are, and what to do."""

_NO_TEXTS = frozenset(
    {".json", ".xlsx", ".xls", ".ods", ".parquet", ".arrow", ".feather", ".pdf", ".docx", ".odt"}
    | {".html", ".xml", ".zip", ".tar", ".bz2", ".xz", ".zst", ".pkl", ".npy", ".sqlite", ".db"}
)
"""Endings of files whose lines are no texts."""


@dataclass(frozen=True)
class FileFormat:
    """How the files of a data set are to be read.

    Attributes:
        text_column: The column or JSON key of the text.
        label_column: That of the label.
        label_columns: Columns of 0 and 1, one a label, in place of `label_column`.
        encoding: The character encoding.
        delimiter: What stands between the columns of a table; None: found from the header.
        check_labels: Whether folders that look like splits are an error.
    """

    text_column: str = "text"
    label_column: str = "label"
    label_columns: tuple[str, ...] = ()
    encoding: str = "utf-8"
    delimiter: str | None = None
    check_labels: bool = True

    @classmethod
    def of(cls, config: ClassifierRunConfig) -> FileFormat:
        """The format that the settings describe."""
        return cls(
            text_column=config.data.text_column,
            label_column=config.data.label_column,
            label_columns=listed_names(config.task.label_columns),
            encoding=config.data.encoding,
            delimiter=None if config.data.delimiter is None else separator(config.data.delimiter),
            check_labels=config.task.check_labels,
        )


def read_records(
    path: str | Path,
    form: FileFormat,
    *,
    labelled: bool = True,
    notices: list[str] | None = None,
) -> Iterator[Record]:
    """Reads the rows of a .csv, .tsv or .jsonl file (perhaps .gz) or of a folder per class.

    A record's line is the one where the row starts.

    Args:
        path: The file or folder.
        form: How it is to be read.
        labelled: Whether rows have labels; if not, only texts are read.
        notices: Receives a sentence for everything that is left out or not ordinary, once the
            last row has been read.

    Raises:
        DataError: The file is missing, of no known form, damaged, or has no such column.
        ConfigError: The encoding is unknown.
    """
    path = Path(path)
    notices = [] if notices is None else notices
    if os.path.isdir(path):
        yield from _read_folder(path, form, notices)
        return
    kind = _kind(path)
    columns = [Column(form.text_column, "--text-column")]
    label = Column(form.label_column, "--label-column")
    if form.label_columns:
        label = Column(form.label_columns[0], "--label-columns")
    if labelled and form.label_columns:
        columns += [Column(name, "--label-columns") for name in form.label_columns]
    elif labelled:
        columns.append(label)
    if kind in DELIMITERS:
        with _open(path, form.encoding, newline="") as lines:
            yield from read_table(
                lines,
                path,
                delimiter=form.delimiter,
                columns=columns,
                label=label,
                notices=notices,
            )
    elif kind == ".jsonl":
        with _open(path, form.encoding, newline="\n") as lines:
            yield from _read_json_lines(lines, path, columns=columns, notices=notices)
    else:
        raise DataError(
            f"{path}: expected a .csv, .tsv or .jsonl file (perhaps .gz) or a folder with one "
            f"sub-folder a class, got {kind or 'no extension'}; convert or rename it."
        )


def read_texts(
    path: str | Path,
    form: FileFormat | None = None,
    *,
    notices: list[str] | None = None,
    on_bad_row: Callable[[str], None] | None = None,
) -> Iterator[str]:
    """Reads texts without labels, in order, at constant memory.

    A .csv, .tsv or .jsonl file gives its text column, any other file a text a line; each may be
    compressed (.gz). The path "-" is standard input, a text a line.

    Args:
        path: The file.
        form: How it is to be read; None: as UTF-8, with a text column named `text`.
        notices: As for `read_records`.
        on_bad_row: Called, with the reason, at the place of a row that cannot be used; None: such
            a row is an error.

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
            f"{path}: expected texts, one a line, or a .csv, .tsv or .jsonl file, got {kind}; save "
            "it as one of these."
        )
    if has_columns(path):
        records = read_records(path, form, labelled=False, notices=notices)
    else:
        records = _read_lines(path, form.encoding)
    for record in records:
        try:
            text = check_text(record, encoding=form.encoding)
        except BadRow as problem:
            if on_bad_row is None:
                raise DataError(f"{record.origin}: {problem}.") from None
            on_bad_row(f"{record.origin}: {problem}")
            continue
        yield text


def stdin_text(encoding: str) -> str:
    """All of standard input as one text, without the line end behind it.

    Raises:
        DataError: It is not in this encoding.
        ConfigError: The encoding is unknown.
    """
    path = Path("-")
    with _open(path, encoding, newline="") as lines:
        text = lines.read().rstrip("\r\n")
    try:
        return check_text(Record("stdin", text), encoding=encoding)
    except BadRow as problem:
        raise DataError(f"stdin: {problem}.") from None


def has_columns(path: str | Path) -> bool:
    """Whether a file is one whose texts are in a column, rather than one a line."""
    return _kind(Path(path)) in (*DELIMITERS, ".jsonl")


def stem(path: str | Path) -> str:
    """The file's name without .gz and its extension."""
    path = Path(path).resolve()
    return path.name if os.path.isdir(path) else Path(_uncompressed(path)).stem


def _uncompressed(path: Path) -> str:
    return path.name[: -len(".gz")] if path.suffix.lower() == ".gz" else path.name


def _kind(path: Path) -> str:
    return Path(_uncompressed(path)).suffix.lower()


@contextmanager
def _open(path: Path, encoding: str, *, newline: str) -> Iterator[TextIO]:
    """Opens a file as text; bytes that do not fit the encoding become lone surrogates."""
    codec = _codec(encoding)
    try:
        with _open_bytes(path) as raw:
            marked = _marked(path, raw, encoding)
            lines = io.TextIOWrapper(
                raw, marked or codec, errors="surrogateescape", newline=newline
            )
            try:
                yield lines
            finally:
                lines.detach()  # Collected, it would close standard input.
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(
            f"{path}: expected a whole gzip file, got a truncated or damaged one ({error}); "
            "make or fetch it again."
        ) from error
    except FileNotFoundError:
        raise DataError(f"{path}: expected a file, got none; check the path.") from None
    except UnicodeError as error:
        raise DataError(
            f"{path}: expected {encoding} text, got other bytes ({error}); save the file as "
            f"{encoding} or pass its --encoding."
        ) from error
    except OSError as error:
        raise DataError(
            f"{path}: expected a readable file, got: {error.strerror or error}; check the file "
            "and its permissions."
        ) from error


def _codec(encoding: str) -> str:
    try:
        io.TextIOWrapper(io.BytesIO(), encoding)
        # A byte order mark is no part of the text.
        return "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding
    except (LookupError, ValueError):
        raise ConfigError(
            "`encoding` must be a text encoding that Python knows, such as utf-8 or latin-1, "
            f"got {encoding!r}."
        ) from None


def _marked(path: Path, raw: BinaryIO, encoding: str) -> str | None:
    """The codec that a byte order mark asks for, at the file's start; None if there is no mark.

    Raises:
        DataError: The mark is that of another encoding, or the file is of a kind without text.
    """
    peek = getattr(raw, "peek", None)
    start = peek(4)[:4] if peek is not None else b""
    for magic, told in _CONTAINERS.items():
        if start.startswith(magic):
            raise DataError(f"{path}: expected text, got {told}.")
    for mark, marked in _BYTE_ORDER_MARKS.items():
        if start.startswith(mark):
            name = codecs.lookup(encoding).name
            if not name.startswith(marked):
                raise DataError(
                    f"{path}: expected {encoding} text, got the byte order mark of {marked}; pass "
                    f"--encoding {marked}."
                )
            return "utf-8-sig" if marked == "utf-8" else marked
    return None


@contextmanager
def _open_bytes(path: Path) -> Iterator[BinaryIO]:
    if str(path) == "-":
        yield sys.stdin.buffer
    elif path.suffix.lower() == ".gz":
        with gzip.open(path, "rb") as raw:
            yield cast(BinaryIO, raw)
    else:
        with path.open("rb") as raw:
            yield raw


def _read_json_lines(
    lines: TextIO, path: Path, *, columns: Sequence[Column], notices: list[str]
) -> Iterator[Record]:
    blank = 0
    for number, line in enumerate(lines, start=1):
        line = line.removeprefix("\ufeff")
        if not line.strip():
            blank += 1
            continue
        origin = f"{path}:{number}"
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            # Its full message names line 1, each line being parsed alone.
            reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
            yield Record(
                origin, problem=f"expected a JSON object, got invalid JSON ({reason}); correct it"
            )
            continue
        if not isinstance(row, dict):
            problem = f"expected a JSON object, got {type(row).__name__}; correct the line"
            yield Record(origin, problem=problem)
            continue
        missing = [column for column in columns if column.name not in row]
        if missing:
            name, option = missing[0]
            yield Record(
                origin,
                problem=f"expected the key {name!r}, got {names_shown(row)}; pass {option} or "
                "add it",
            )
            continue
        values = [row[column.name] for column in columns]
        if len(values) > 2:
            names = [column.name for column in columns[1:]]
            values = [values[0], dict(zip(names, values[1:], strict=True))]
        yield Record(origin, *values)
    if blank:
        notices.append(f"{path}: {blank} blank {'line' if blank == 1 else 'lines'} passed over.")


def _read_lines(path: Path, encoding: str) -> Iterator[Record]:
    # Only a line feed ends a line, as `wc -l` and `paste` see it.
    name = "stdin" if str(path) == "-" else path
    with _open(path, encoding, newline="\n") as lines:
        for number, line in enumerate(lines, start=1):
            text = line.removeprefix("\ufeff").removesuffix("\n").removesuffix("\r")
            yield Record(f"{name}:{number}", text)


def _read_folder(folder: Path, form: FileFormat, notices: list[str]) -> Iterator[Record]:
    found = class_files(folder, check_labels=form.check_labels)
    notices += found.notices
    for label, path in found.files:
        with _open(path, form.encoding, newline="") as lines:
            text = lines.read()
        problem = ""
        try:
            check_unicode(label, "utf-8")
        except BadRow:
            problem = "expected a folder whose name is UTF-8 text, got other bytes; rename it"
        yield Record(str(path), text, label, problem)
