"""Writes Parquet files by pyarrow; each part is a file in Arrow's stream format."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from textrnn.data.columns import ABSENT
from textrnn.data.writers.values import as_text
from textrnn.data.writers.writer import Layout, check_different_names, valid_text

__all__ = ["ROW_GROUP_ROWS", "ParquetWriter"]

ROW_GROUP_ROWS = 65_536
"""The number of rows after which a row group ends, with the part that reaches it."""


class ParquetWriter:
    """Writes a .parquet file; see `TableWriter`.

    A column of the input has its type of the schema, or is a column of strings without a schema.

    >>> writer = ParquetWriter(Layout(("text",), {"score": float}))
    >>> len(writer.part([["a", 0.5]])) > 0
    True

    Args:
        layout: The columns.

    Raises:
        DataError: Two columns have the same name.
    """

    def __init__(self, layout: Layout) -> None:
        import pyarrow

        check_different_names(layout, ".parquet")
        types = {
            str: pyarrow.string(),
            int: pyarrow.int64(),
            float: pyarrow.float64(),
            bool: pyarrow.bool_(),
        }
        kept = layout.schema or pyarrow.schema([(name, types[str]) for name in layout.kept])
        by_name = {field.name: field for field in kept}
        added = [pyarrow.field(name, types[kind]) for name, kind in layout.added.items()]
        self._schema = pyarrow.schema([*(by_name[name] for name in layout.kept), *added])

    def part(self, rows: Sequence[Sequence[object]]) -> bytes:
        """Returns the rows in Arrow's stream format."""
        import pyarrow

        columns = zip(*rows, strict=True) if rows else [()] * len(self._schema)
        arrays = [
            _array(cells, field.type) for cells, field in zip(columns, self._schema, strict=True)
        ]
        stream = io.BytesIO()
        with pyarrow.ipc.new_stream(stream, self._schema) as writer:
            writer.write_batch(pyarrow.record_batch(arrays, schema=self._schema))
        return stream.getvalue()

    def join(self, parts: Iterable[Path], file: BinaryIO) -> None:
        """Writes the parts as row groups."""
        import pyarrow.parquet

        group: list[Any] = []
        with pyarrow.parquet.ParquetWriter(file, self._schema) as writer:
            for part in parts:
                with pyarrow.ipc.open_stream(part.read_bytes()) as reader:
                    group += reader
                if sum(batch.num_rows for batch in group) >= ROW_GROUP_ROWS:
                    writer.write_table(pyarrow.Table.from_batches(group))
                    group = []
            if group:
                writer.write_table(pyarrow.Table.from_batches(group))


def _array(cells: Sequence[object], kind: Any) -> Any:
    import pyarrow

    values = [None if cell is ABSENT else cell for cell in cells]
    if pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind):
        values = [None if value is None else valid_text(as_text(value)) for value in values]
    return pyarrow.array(values, kind)
