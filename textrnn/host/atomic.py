"""Atomic replacement of a file."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

__all__ = ["atomic_file", "write_atomically"]


def write_atomically(path: str | os.PathLike[str], content: bytes | str) -> None:
    """Writes a file so that an interruption leaves either the whole old or the whole new file.

    Args:
        path: The file.
        content: The bytes, or a text that is encoded as UTF-8.

    Raises:
        OSError: The folder cannot be written to, or the disk is full; the old file stays.
    """
    with atomic_file(path) as file:
        file.write(content.encode("utf-8") if isinstance(content, str) else content)


@contextmanager
def atomic_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Opens a file that replaces another one when the context ends without an error.

    Args:
        path: The file that is replaced.

    Raises:
        OSError: The folder cannot be written to, or the disk is full; the old file stays.
    """
    path = Path(path)
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with partial.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
