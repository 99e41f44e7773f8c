"""The user's own files: tables (.csv, .tsv), .jsonl, a folder per class, texts a line.

Each file may be compressed (.gz). Rows are read one by one, so memory does not grow with a file.
A row that cannot be read becomes a `Record` with a problem; a file that cannot be read is a
`DataError`.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import os
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from textrnn.data.records import BadRow, Record, check_text
from textrnn.errors import ConfigError, DataError

__all__ = ["class_files", "read_records", "read_texts", "stem"]

_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_Columns = Sequence[tuple[str, str]]
"""The name of each column that is read, and the option that gives it."""


def read_records(
    path: str | Path, *, text_column: str, label_column: str | None, encoding: str
) -> Iterator[Record]:
    """Reads the rows of a .csv, .tsv or .jsonl file (perhaps .gz) or of a folder per class.

    A record's line is the one where the row starts. `label_column` None reads texts only.

    Raises:
        DataError: The file is missing, of no known form, damaged, or has no such column.
        ConfigError: `encoding` is unknown.
    """
    path = Path(path)
    if os.path.isdir(path):
        yield from _read_folder(path, encoding)
        return
    kind = _kind(path)
    columns = [(text_column, "--text-column")]
    if label_column is not None:
        columns.append((label_column, "--label-column"))
    if kind in _DELIMITERS:
        with _open(path, encoding, newline="") as lines:
            yield from _read_table(lines, path, delimiter=_DELIMITERS[kind], columns=columns)
    elif kind == ".jsonl":
        with _open(path, encoding, newline="\n") as lines:
            yield from _read_json_lines(lines, path, columns=columns)
    else:
        raise DataError(
            f"{path}: expected a .csv, .tsv or .jsonl file (perhaps .gz) or a folder with one "
            f"sub-folder a class, got {kind or 'no extension'}; convert or rename it."
        )


def read_texts(
    path: str | Path, *, text_column: str = "text", encoding: str = "utf-8"
) -> Iterator[str]:
    """Reads texts without labels, in order, at constant memory.

    A .csv, .tsv or .jsonl file gives its `text_column`, any other file a text a line; each may be
    compressed (.gz). The path "-" is standard input, a text a line.

    Raises:
        DataError: The file or one of its rows cannot be read.
        ConfigError: `encoding` is unknown.
    """
    path = Path(path)
    if os.path.isdir(path):
        raise DataError(f"{path}: expected a file, got a folder; name a file in it.")
    if _kind(path) in (*_DELIMITERS, ".jsonl"):
        records = read_records(path, text_column=text_column, label_column=None, encoding=encoding)
    else:
        records = _read_lines(path, encoding)
    for record in records:
        try:
            text = check_text(record, encoding=encoding)
        except BadRow as problem:
            raise DataError(f"{record.origin}: {problem}.") from None
        yield text


def class_files(folder: Path) -> list[tuple[str, Path]]:
    """The class and path of each .txt file in a folder with one sub-folder a class, sorted.

    Raises:
        DataError: There is no such file.
    """
    try:
        folders = _visible(p for p in folder.iterdir() if p.is_dir())
        files = [
            (class_folder.name, path)
            for class_folder in folders
            for path in _visible(class_folder.iterdir())
            if path.suffix.lower() == ".txt"
        ]
    except OSError as error:
        raise DataError(f"{folder}: expected a readable folder, got: {error}; check it.") from error
    if not files:
        raise DataError(
            f"{folder}: expected one sub-folder a class with .txt files in it, got the sub-folders "
            f"{_names(path.name for path in folders[:10])} and no .txt file in them; name the "
            "folder right above the classes."
        )
    return files


def _visible(paths: Iterable[Path]) -> list[Path]:
    return sorted(path for path in paths if not path.name.startswith("."))


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
            lines = io.TextIOWrapper(raw, codec, errors="surrogateescape", newline=newline)
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


def _read_table(
    lines: TextIO, path: Path, *, delimiter: str, columns: _Columns
) -> Iterator[Record]:
    csv.field_size_limit(2**31 - 1)
    # Not strict, a quote that is never closed would swallow the rest of the file in silence.
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    header: list[str] | None = None
    while True:
        line = reader.line_num + 1
        origin = f"{path}:{line}"
        try:
            row = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            if "unexpected end of data" in str(error):
                raise DataError(
                    f"{origin}: expected a closing quote before the end of the file, got none; "
                    'close the quote, or write a quote within a text as "".'
                ) from None
            problem = f'expected CSV, got {error}; write a quote within a text as ""'
            if header is None:
                raise DataError(f"{origin}: {problem}.") from None
            yield Record(origin, problem=problem)
            continue
        if not row:
            continue
        if header is None:
            header = [name.strip() for name in row]
            picks = [_column(header, name, origin, option) for name, option in columns]
        elif any("\0" in field for field in row):
            yield Record(origin, problem="expected text, got a NUL byte; check the --encoding")
        elif len(row) != len(header):
            yield Record(
                origin,
                problem=f"expected {len(header)} columns, got {len(row)}; put fields that hold "
                "the separator in quotes",
            )
        else:
            yield Record(origin, *(row[pick] for pick in picks))
    if header is None:
        raise DataError(f"{path}: expected a header row, got an empty file; check the file.")


def _column(header: list[str], name: str, origin: str, option: str) -> int:
    if header.count(name) == 1:
        return header.index(name)
    raise DataError(
        f"{origin}: expected one column named {name!r} in the header, got {_names(header)}; pass "
        f"{option} or --encoding, or add a header row."
    )


def _names(names: Iterable[str]) -> str:
    # Quoted, what is no plain name does no harm to the line: line ends, NUL bytes, surrogates.
    return ", ".join(repr(name[:30]) for name in names) or "none"


def _read_json_lines(lines: TextIO, path: Path, *, columns: _Columns) -> Iterator[Record]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
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
        missing = [column for column in columns if column[0] not in row]
        if missing:
            name, option = missing[0]
            yield Record(
                origin,
                problem=f"expected the key {name!r}, got {_names(row)}; pass {option} or add it",
            )
            continue
        yield Record(origin, *(row[name] for name, _ in columns))


def _read_lines(path: Path, encoding: str) -> Iterator[Record]:
    # Only a line feed ends a line, as `wc -l` and `paste` see it.
    with _open(path, encoding, newline="\n") as lines:
        for number, line in enumerate(lines, start=1):
            yield Record(f"{path}:{number}", line.removesuffix("\n").removesuffix("\r"))


def _read_folder(folder: Path, encoding: str) -> Iterator[Record]:
    for label, path in class_files(folder):
        with _open(path, encoding, newline="") as lines:
            yield Record(str(path), lines.read(), label)
