"""Files and folders on disks, and in stores such as S3 that fsspec opens.

A file in a store has an address with a scheme: `s3://bucket/name.parquet`. A `Path` shortens it to
`s3:/bucket/name.parquet`; `as_path` and `address_of` give it back, so that the same functions read
both kinds of files.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from textrnn.errors import DataError
from textrnn.host.atomic import write_atomically

if sys.platform == "win32":
    from pathlib import WindowsPath as _OsPath
else:
    from pathlib import PosixPath as _OsPath

__all__ = [
    "Folder",
    "address_of",
    "as_path",
    "matching",
    "open_binary",
    "open_folder",
    "stamp",
]

# A letter before a colon is a drive of Windows.
_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]+):/+(.*)", re.DOTALL)
_STAMPS = ("ETag", "etag", "mtime", "LastModified", "last_modified", "updated", "created")
"""The names under which different stores keep a value that changes with the content of a file."""


def address_of(path: str | Path) -> str:
    """Returns the address of a file in a store; empty for a path on a disk.

    >>> address_of(Path("s3://bucket/a.csv")), address_of("data/a.csv")
    ('s3://bucket/a.csv', '')
    """
    found = _ADDRESS.fullmatch(str(path))
    if found is None:
        return ""
    root = "/" if found[1] in {"file", "local", "memory"} else ""
    return f"{found[1]}://{root}{found[2]}"


class _StorePath(_OsPath):
    """The path of a file in a store, which messages show by its address."""

    def __str__(self) -> str:
        return address_of(super().__str__())


def as_path(name: str | Path) -> Path:
    """Returns the path of a file on a disk or in a store.

    >>> str(as_path("s3://bucket/a.csv")), str(as_path(Path("s3://bucket/a.csv")))
    ('s3://bucket/a.csv', 's3://bucket/a.csv')
    """
    return _StorePath(name) if address_of(name) else Path(name)


def matching(address: str) -> list[Path]:
    """Returns the files of a store that match a pattern, sorted.

    Args:
        address: The address, perhaps with `*`, `?` or `**`.

    Raises:
        DataError: The store cannot be read, or its package is missing.
    """
    files, name = _store(address)
    with _reachable(address):
        return [as_path(files.unstrip_protocol(found)) for found in sorted(files.glob(name))]


@contextmanager
def open_binary(path: Path) -> Iterator[BinaryIO]:
    """Opens a file for reading; that of a store is read in blocks, as they are needed.

    Args:
        path: The file, on a disk or in a store.

    Raises:
        OSError: The file cannot be opened.
        DataError: The package of the store is missing.
    """
    address = address_of(path)
    if not address:
        with path.open("rb") as file:
            yield file
        return
    files, name = _store(address)
    with files.open(name, "rb") as file:
        yield cast(BinaryIO, file)


def stamp(path: Path) -> list[str]:
    """Returns the size of a file and the value that changes with its content.

    Args:
        path: The file, on a disk or in a store.

    Raises:
        DataError: There is no such file.
    """
    address = address_of(path)
    if not address:
        try:
            status = path.stat()
        except OSError as error:
            raise _missing(path, error) from None
        return [str(status.st_size), str(status.st_mtime_ns)]
    files, name = _store(address)
    with _reachable(address):
        info = files.info(name)
    return [str(info["size"]), *(str(info[key]) for key in _STAMPS if key in info)]


class Folder(Protocol):
    """A folder that is written to. Names are relative to it and may contain slashes."""

    def make(self) -> None:
        """Makes the folder, and those above it."""

    def names(self, below: str = "") -> set[str]:
        """Returns the names of what is in the folder, or in a folder below it; empty without it."""

    def read(self, name: str) -> bytes | None:
        """Returns the content of a file; None if there is none."""

    def write(self, name: str, content: bytes) -> None:
        """Writes a file at once and whole."""

    def publish(self, file: Path, name: str) -> None:
        """Copies a file of this machine into the folder, where it appears at once and whole."""

    def remove(self, name: str) -> None:
        """Removes a file, or a folder with all that it holds, if there is one."""

    def path(self, name: str) -> Path:
        """Returns the path by which `open_binary` opens a file of the folder."""


def open_folder(place: Path) -> Folder:
    """Returns a folder on a disk or in a store; it need not exist yet.

    Its methods raise OSError.

    Raises:
        DataError: The package of the store is missing.
    """
    address = address_of(place)
    if not address:
        return _DiskFolder(place)
    _store(address)
    return _StoreFolder(address)


@dataclass(frozen=True)
class _DiskFolder:
    """A `Folder` on a disk, which all machines of a cluster may share."""

    place: Path

    def make(self) -> None:
        self.place.mkdir(parents=True, exist_ok=True)

    def names(self, below: str = "") -> set[str]:
        try:
            return set(os.listdir(self.place / below))
        except FileNotFoundError:
            return set()

    def read(self, name: str) -> bytes | None:
        try:
            return (self.place / name).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, name: str, content: bytes) -> None:
        (self.place / name).parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self.place / name, content)

    def publish(self, file: Path, name: str) -> None:
        goal = self.place / name
        goal.parent.mkdir(parents=True, exist_ok=True)
        # A part that a killed worker leaves has a name that no program reads.
        partial = goal.with_name(f".{goal.name}.{uuid.uuid4().hex}")
        try:
            with file.open("rb") as source, partial.open("wb") as copy:
                shutil.copyfileobj(source, copy)
                copy.flush()
                os.fsync(copy.fileno())
            partial.replace(goal)
        finally:
            partial.unlink(missing_ok=True)

    def remove(self, name: str) -> None:
        place = self.place / name
        if place.is_dir():
            shutil.rmtree(place, ignore_errors=True)
        else:
            place.unlink(missing_ok=True)

    def path(self, name: str) -> Path:
        return self.place / name


@dataclass(frozen=True)
class _StoreFolder:
    """A `Folder` in a store; an object appears when all of it was sent."""

    address: str

    def make(self) -> None:
        files, place = _store(self.address)
        files.makedirs(place, exist_ok=True)

    def names(self, below: str = "") -> set[str]:
        files, place = _store(self._address(below))
        files.invalidate_cache()
        try:
            return {found.rstrip("/").rsplit("/", 1)[-1] for found in files.ls(place, detail=False)}
        except FileNotFoundError:
            return set()

    def read(self, name: str) -> bytes | None:
        files, place = _store(self._address(name))
        files.invalidate_cache()
        try:
            return cast(bytes, files.cat_file(place))
        except FileNotFoundError:
            return None

    def write(self, name: str, content: bytes) -> None:
        files, place = _store(self._address(name))
        files.makedirs(place.rsplit("/", 1)[0], exist_ok=True)
        files.pipe_file(place, content)

    def publish(self, file: Path, name: str) -> None:
        files, place = _store(self._address(name))
        files.makedirs(place.rsplit("/", 1)[0], exist_ok=True)
        files.put_file(str(file), place)

    def remove(self, name: str) -> None:
        files, place = _store(self._address(name))
        files.invalidate_cache()
        if files.exists(place):
            files.rm(place, recursive=True)

    def path(self, name: str) -> Path:
        return as_path(self._address(name))

    def _address(self, name: str) -> str:
        return f"{self.address.rstrip('/')}/{name}" if name else self.address


def _store(address: str) -> tuple[Any, str]:
    """Returns the file system of a store, and the name of a file in it.

    Raises:
        DataError: The package of the store is missing, or the scheme is unknown.
    """
    try:
        import fsspec

        files, name = fsspec.core.url_to_fs(address)
    except (ImportError, ValueError) as error:
        raise DataError(
            f"{address}: expected a store that fsspec opens, got: {error}; install the package of "
            "the store, such as s3fs for s3:// or gcsfs for gs://."
        ) from None
    return files, str(name)


@contextmanager
def _reachable(address: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _missing(address, error) from error


def _missing(path: str | Path, error: OSError) -> DataError:
    if isinstance(error, FileNotFoundError):
        return DataError(f"{path}: expected a file, got none; check the path.")
    return DataError(
        f"{path}: expected a readable file, got: {error.strerror or error}; check its permissions."
    )
