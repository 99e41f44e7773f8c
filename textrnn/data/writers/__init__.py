"""The formats in which tables are written, by their extension."""

from collections.abc import Mapping
from functools import partial

from textrnn.data.writers.delimited import DelimitedWriter
from textrnn.data.writers.excel import ExcelWriter
from textrnn.data.writers.json_lines import JsonLinesWriter
from textrnn.data.writers.parquet import ParquetWriter
from textrnn.data.writers.writer import MakeWriter

__all__ = ["WRITERS"]

WRITERS: Mapping[str, MakeWriter] = {
    ".csv": partial(DelimitedWriter, delimiter=","),
    ".tsv": partial(DelimitedWriter, delimiter="\t"),
    ".jsonl": JsonLinesWriter,
    ".ndjson": JsonLinesWriter,
    ".parquet": ParquetWriter,
    ".xlsx": ExcelWriter,
}
"""What makes the writer of a file, by its extension."""
