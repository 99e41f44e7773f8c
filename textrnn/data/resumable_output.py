"""A table that is written part by part, so that a job that was stopped can continue.

While a job runs, the folder `OUTPUT.partial` holds `journal.json`, which says what the job is, and
one file per part. At the end the parts are joined into the file, which appears at once and whole,
and the folder is removed.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from textrnn.data.job_journal import check_same_job
from textrnn.data.writers.writer import TableWriter
from textrnn.errors import DataError
from textrnn.host.atomic import atomic_file, write_atomically

__all__ = ["PART_ROWS", "ResumableOutput", "check_output", "partial_folder"]

PART_ROWS = 4096
"""The number of rows of a part: at most so many are answered again when a job continues."""

_JOURNAL = "journal.json"
_VERSION = 2  # 1: a part had rows of several files.


def partial_folder(path: Path) -> Path:
    """Returns the folder of the parts of a file."""
    return path.with_name(f"{path.name}.partial")


def check_output(path: Path, *, resume: bool) -> None:
    """Checks, before anything is computed, whether a file can be written.

    Args:
        path: The file.
        resume: Whether parts of an earlier job are expected.

    Raises:
        DataError: The folder of the file is missing, the file is a folder, or there are parts of an
            earlier job and `resume` is off.
    """
    if not path.parent.is_dir():
        raise DataError(f"{path}: expected an existing folder, got {path.parent}; make it.")
    if path.is_dir():
        raise DataError(f"{path}: expected the name of a file, got a folder; name a file in it.")
    folder = partial_folder(path)
    if folder.exists() and not resume:
        raise DataError(
            f"{folder}: holds the parts of a job that did not end; continue it with `resume`, or "
            "remove the folder to begin anew."
        )


class ResumableOutput:
    """Writes the parts of a table, and joins them at the end.

    Args:
        path: The file.
        writer: Writes the format of the file.
        job: What the bytes of the file depend on, as plain values by name. A job only continues if
            all of them are the same.
        resume: Whether to continue after the parts that exist.

    Attributes:
        done: The number of parts that were written before.

    Raises:
        DataError: The parts belong to another job, or the folder cannot be written to.
    """

    def __init__(
        self, path: Path, writer: TableWriter, *, job: Mapping[str, Any], resume: bool = False
    ) -> None:
        self._path, self._writer = path, writer
        self._folder = partial_folder(path)
        self._journal = self._folder / _JOURNAL
        with self._writing():
            if resume and self._journal.is_file():
                stored = self._journal.read_bytes()
                check_same_job(str(self._folder), stored, {"version": _VERSION, **job})
            else:
                shutil.rmtree(self._folder, ignore_errors=True)
                self._folder.mkdir()
                content = json.dumps({"version": _VERSION, **job}, indent=2) + "\n"
                write_atomically(self._journal, content)
        self.done = 0
        while self._part(self.done).is_file():
            self.done += 1
        self._count = self.done

    def add(self, rows: Sequence[Sequence[object]]) -> None:
        """Writes the next part.

        Args:
            rows: The cells of each row.

        Raises:
            DataError: The disk is full or cannot be written to.
        """
        with self._writing():
            write_atomically(self._part(self._count), self._writer.part(rows))
        self._count += 1

    def finish(self) -> None:
        """Joins the parts into the file, and removes them.

        Raises:
            DataError: The disk is full or cannot be written to.
        """
        with self._writing():
            with atomic_file(self._path) as file:
                self._writer.join(map(self._part, range(self._count)), file)
            shutil.rmtree(self._folder, ignore_errors=True)

    def discard(self, *, only_if_empty: bool = False) -> None:
        """Removes the parts of a job that does not continue.

        Args:
            only_if_empty: Whether parts that were written stay.
        """
        if not (self._count and only_if_empty):
            shutil.rmtree(self._folder, ignore_errors=True)

    def _part(self, number: int) -> Path:
        return self._folder / f"{number:08}.part"

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise DataError(
                f"{self._path}: cannot be written: {error.strerror or error}; free the disk or "
                "check the permissions, and continue with `resume`."
            ) from error
