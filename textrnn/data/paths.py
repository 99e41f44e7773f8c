"""The files that a path, a pattern or a list of paths names."""

from __future__ import annotations

import glob
import itertools
import os
import re
from pathlib import Path

from textrnn.config.section import listed_paths
from textrnn.data.saved_datasets import has_splits, is_saved_dataset, saved_files
from textrnn.data.stores import address_of, as_path, matching
from textrnn.errors import DataError

__all__ = [
    "check_exists",
    "input_files",
    "kind",
    "missing_file",
    "own_splits",
    "same_files",
    "stem",
]


def input_files(value: str | Path, *, split: str | None = None) -> list[Path]:
    """Returns the files that a value names, in the order in which they are read.

    A value is a path, a pattern such as `data/*.parquet`, the address of a file in a store such as
    `s3://bucket/*.parquet`, or several of these with commas between them. The files of a pattern
    are sorted. A folder that is no saved data set (see `saved_datasets`) stands for itself.

    Args:
        value: The value; "-" is standard input.
        split: The split, `train`, `validation` or `test`, that is read of a folder of splits.

    Raises:
        DataError: No file matches a pattern, or a folder holds several splits and none is named.
    """
    files: list[Path] = []
    for path in _all_matches(value):
        files += saved_files(path, split=split) if is_saved_dataset(path) else [path]
    return files


def missing_file(value: str | Path) -> tuple[str, str]:
    """Returns the first path or pattern in a value that names no file, and what was expected.

    >>> missing_file("no-such-*.csv")
    ('no-such-*.csv', 'expected files that match this pattern, got none')

    Args:
        value: A path, a pattern, or several; see `input_files`.

    Returns:
        The path and the sentence; both are empty if no file is missing.
    """
    for name in _names(value):
        path = os.path.expanduser(name)
        # A file of a store is looked for when it is read.
        if name == "-" or os.path.exists(path) or address_of(name):
            continue
        if not glob.has_magic(path):
            return name, "expected a file, got none"
        if not glob.glob(path, recursive=True):
            return name, "expected files that match this pattern, got none"
    return "", ""


def check_exists(value: str | Path) -> None:
    """Raises DataError if a value names a file that does not exist, or a pattern without files."""
    path, problem = missing_file(value)
    if path:
        raise DataError(f"{path}: {problem}; check the path.")


def same_files(first: str | None, second: str | None) -> bool:
    """Returns whether two values name a common file that exists."""
    if first is None or second is None or missing_file(first)[0] or missing_file(second)[0]:
        return False
    pairs = itertools.product(_all_matches(first), _all_matches(second))
    return any(os.path.samefile(*pair) for pair in pairs)


def own_splits(value: str | Path) -> Path | None:
    """Returns the folder that a value names if it holds the splits of a data set, else None."""
    path = Path(os.path.expanduser(value))
    return path if has_splits(path) else None


def _names(value: str | Path) -> tuple[str, ...]:
    return listed_paths(str(value)) or (str(value),)


def _all_matches(value: str | Path) -> list[Path]:
    return [path for name in _names(value) for path in _matches(name)]


def _matches(name: str) -> list[Path]:
    name = os.path.expanduser(name)
    if os.path.exists(name) or not glob.has_magic(name):
        return [as_path(name)]
    address = address_of(name)
    paths = matching(address) if address else map(Path, sorted(glob.glob(name, recursive=True)))
    matches = list(paths)
    if not matches:
        raise DataError(f"{name}: expected files that match this pattern, got none; check it.")
    return matches


def kind(path: str | Path) -> str:
    """Returns the extension of a file in lower case, without .gz.

    >>> kind("data/reviews.CSV.gz")
    '.csv'
    """
    return Path(_uncompressed(Path(path))).suffix.lower()


def stem(path: str | Path) -> str:
    """Returns the name of a file without .gz and its extension; of several files, a name for all.

    >>> stem("data/reviews.csv.gz"), stem("data/part-*.parquet"), stem("a.csv,b.csv")
    ('reviews', 'part', 'a')
    """
    path = Path(_names(path)[0]).resolve()
    if os.path.isdir(path):
        return path.name
    name = Path(_uncompressed(path)).stem
    if os.path.exists(path) or not glob.has_magic(name):
        return name
    letters = re.sub(r"\[[^]]*\]|[*?]", "", name).strip(" -_.")
    return letters or path.parent.name


def _uncompressed(path: Path) -> str:
    return path.name[: -len(".gz")] if path.suffix.lower() == ".gz" else path.name
