"""Parquet and Arrow files, read in record batches, by pyarrow.

A column of Hugging Face's type ClassLabel holds integers. The names that they stand for are in the
metadata of the file's schema, or in `dataset_info.json` beside the file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from textrnn.data.columns import Record
from textrnn.data.formats.table import Request, Table, check_columns
from textrnn.data.stores import address_of, open_binary
from textrnn.errors import DataError

__all__ = ["BATCH_ROWS", "open_arrow", "open_parquet", "parquet_rows"]

BATCH_ROWS = 4096
"""The number of rows that are in memory at once."""

READ_BYTES = 1 << 20
"""The size of the buffer of each Parquet column. Without it, a whole row group is in memory."""

_FILE_MAGIC = b"ARROW1"


@contextmanager
def open_parquet(path: Path, request: Request) -> Iterator[Table]:
    """Opens a Parquet file.

    Args:
        path: The file.
        request: The columns that are read.

    Raises:
        DataError: The file is damaged or lacks a column.
    """
    with _readable(path, "Parquet"), _opened(path) as source:
        import pyarrow.parquet

        with pyarrow.parquet.ParquetFile(source, pre_buffer=False, buffer_size=READ_BYTES) as file:
            rows = request.rows or range(file.metadata.num_rows)
            yield _table(
                path,
                file.schema_arrow,
                request,
                lambda places, names: _batches_of_rows(file, names, rows),
                first=rows.start,
            )


def parquet_rows(path: Path) -> int:
    """Returns the number of rows of a Parquet file.

    Raises:
        DataError: The file is damaged.
    """
    with _readable(path, "Parquet"), _opened(path) as source:
        import pyarrow.parquet

        with pyarrow.parquet.ParquetFile(source) as file:
            return int(file.metadata.num_rows)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Yields a file of a store open, and the path of another one, which pyarrow opens."""
    if not address_of(path):
        yield path
        return
    with open_binary(path) as file:
        yield file


def _batches_of_rows(file: Any, names: list[str], rows: range) -> Iterator[Any]:
    """Yields the batches of some columns that hold these rows of a Parquet file.

    Row groups without any of them are not read.
    """
    groups: list[int] = []
    before = first = 0
    for number in range(file.metadata.num_row_groups):
        after = before + file.metadata.row_group(number).num_rows
        if before < rows.stop and after > rows.start:
            first = first if groups else before
            groups.append(number)
        before = after
    for batch in file.iter_batches(BATCH_ROWS, row_groups=groups, columns=names):
        start, stop = max(rows.start - first, 0), min(rows.stop - first, batch.num_rows)
        if start < stop:
            yield batch.slice(start, stop - start)
        first += batch.num_rows


@contextmanager
def open_arrow(path: Path, request: Request) -> Iterator[Table]:
    """Opens an Arrow file, in the file format (Feather 2) or in the stream format.

    Args:
        path: The file.
        request: The columns that are read.

    Raises:
        DataError: The file is damaged or lacks a column.
    """
    with _readable(path, "Arrow"):
        import pyarrow

        with path.open("rb") as file:
            is_file = file.read(len(_FILE_MAGIC)) == _FILE_MAGIC
        with pyarrow.memory_map(str(path)) as source:
            ipc = pyarrow.ipc
            opened = ipc.open_file if is_file else ipc.open_stream

            def batches(places: list[int], names: list[str]) -> Iterator[Any]:
                source.seek(0)
                reader = opened(source, options=ipc.IpcReadOptions(included_fields=places))
                for batch in _batches_of_file(reader) if is_file else reader:
                    for start in range(0, batch.num_rows, BATCH_ROWS):
                        yield batch.slice(start, BATCH_ROWS)

            yield _table(path, opened(source).schema, request, batches)


def _batches_of_file(reader: Any) -> Iterator[Any]:
    return map(reader.get_batch, range(reader.num_record_batches))


@contextmanager
def _readable(path: Path, kind: str) -> Iterator[None]:
    """Makes a DataError of the errors of pyarrow and of the operating system."""
    import pyarrow

    try:
        yield
    except FileNotFoundError:
        raise DataError(f"{path}: expected a file, got none; check the path.") from None
    except pyarrow.ArrowException as error:
        raise DataError(
            f"{path}: expected a whole {kind} file, got another or a damaged one "
            f"({_first_line(error)}); create it or fetch it again."
        ) from error
    except OSError as error:
        raise DataError(
            f"{path}: expected a readable {kind} file, got: {error.strerror or _first_line(error)};"
            " create it or fetch it again, and check its permissions."
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(". ")


def _table(
    path: Path,
    schema: Any,
    request: Request,
    batches: Callable[[list[int], list[str]], Iterable[Any]],
    *,
    first: int = 0,
) -> Table:
    """Returns the table of the batches that a file yields.

    Args:
        path: The file.
        schema: The schema of all columns.
        request: The columns that are read.
        batches: Returns the batches of the columns at these places, which have these names.
        first: The number of rows of the file before the first batch.
    """
    import pyarrow

    wanted = check_columns(schema.names, request, path=path)
    places = [
        place for place, name in enumerate(schema.names) if request.keep or name in set(wanted)
    ]
    names = [schema.names[place] for place in places]

    def records() -> Iterator[Record]:
        number = first
        for batch in batches(places, names):
            for cells in zip(*map(_values, batch.columns), strict=True):
                number += 1
                yield Record(f"{path}: row {number}", cells)

    return Table(
        tuple(names),
        records,
        class_names=_class_names(path, schema),
        schema=pyarrow.schema([schema.field(place) for place in places]),
    )


def _values(column: Any) -> list[Any]:
    """Returns the values of a column; times are scalars of pyarrow, for Python has not all of them.

    Raises:
        DataError: A list or a structure holds a time that Python cannot represent.
    """
    import pyarrow

    if pyarrow.types.is_temporal(column.type) or isinstance(column.type, pyarrow.BaseExtensionType):
        return list(column)
    try:
        return list(column.to_pylist())
    except (OverflowError, ValueError) as error:
        raise DataError(
            f"expected values of {column.type} that Python can represent, got others ({error}); "
            "leave the column out of the file."
        ) from None


def _class_names(path: Path, schema: Any) -> dict[str, list[str]]:
    """Maps each column of Hugging Face's type ClassLabel to the names of its classes."""
    try:
        metadata = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        info = metadata.get("info", {})
        beside = path.parent / "dataset_info.json"
        if not info and beside.is_file():
            info = json.loads(beside.read_text(encoding="utf-8"))
        features = info.get("features") or {}
        return {name: names for name, feature in features.items() if (names := _names(feature))}
    except (ValueError, AttributeError):  # The metadata is of another program.
        return {}


def _names(feature: object) -> list[str]:
    """Returns the class names of a feature, or of the items of a list; [] if it has none."""
    if isinstance(feature, Sequence) and not isinstance(feature, str):
        return _names(feature[0]) if feature else []
    if not isinstance(feature, Mapping):
        return []
    if feature.get("_type") == "ClassLabel":
        return [str(name) for name in feature.get("names") or ()]
    return _names(feature.get("feature"))
