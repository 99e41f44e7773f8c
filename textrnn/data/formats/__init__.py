"""The formats of files, by their extension. A further format is one file and its row here."""

from collections.abc import Mapping

from textrnn.data.formats.arrow import open_arrow, open_parquet
from textrnn.data.formats.delimited import open_delimited
from textrnn.data.formats.excel import open_excel
from textrnn.data.formats.json_lines import open_json_lines
from textrnn.data.formats.table import Opener
from textrnn.data.formats.text_lines import open_fasttext

__all__ = ["BINARY", "COLUMNS", "LABELLED_LINES"]

COLUMNS: Mapping[str, Opener] = {
    ".csv": open_delimited,
    ".tsv": open_delimited,
    ".jsonl": open_json_lines,
    ".ndjson": open_json_lines,
    ".parquet": open_parquet,
    ".arrow": open_arrow,
    ".feather": open_arrow,
    ".xlsx": open_excel,
    ".fasttext": open_fasttext,
    ".ft": open_fasttext,
}
"""What opens a file with columns, by its extension; each may read the columns of texts alone."""

LABELLED_LINES: Mapping[str, Opener] = {".txt": open_fasttext}
"""What opens a file for its labels whose lines are texts otherwise."""

BINARY = frozenset({".parquet", ".arrow", ".feather", ".xlsx"})
"""The extensions of files that are compressed in themselves, and that .gz must not follow."""
