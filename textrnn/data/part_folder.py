"""A folder of parts that many workers write, so that a job that was stopped can continue.

While a job runs, the folder `_job` in it holds `job.json`, which says what the job is, `plan.json`,
the pieces of the input, and a record of each part that is done. At the end `_SUCCESS` appears, and
`_job` is removed. Names that begin with an underscore are those that Spark and pyarrow pass over.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from textrnn.data.job_journal import check_same_job
from textrnn.data.stores import open_folder
from textrnn.errors import DataError

__all__ = ["MOST_TRIES", "PIECES", "PartFolder"]

PIECES = "_job/pieces"
"""The folder of the pieces of the input."""
MOST_TRIES = 10
"""The number of workers that may be lost with one part before the job gives up; see `begin`."""

_JOB, _PLAN, _DONE, _BEGUN = "_job/job.json", "_job/plan.json", "_job/done", "_job/begun"
_SUCCESS = "_SUCCESS"


class PartFolder:
    """The folder of the parts of one job; every worker has one.

    Args:
        place: The folder, on a disk that all workers share or in a store.
        extension: The extension of the parts.
    """

    def __init__(self, place: Path, extension: str) -> None:
        self.place, self.extension = place, extension
        self.folder = open_folder(place)

    def start(self, job: Mapping[str, Any], *, resume: bool) -> None:
        """Begins a job, or continues one.

        Args:
            job: What the parts depend on, as values of JSON.
            resume: Whether to continue.

        Raises:
            DataError: The folder holds something else, or another job, or an unfinished one that
                is not to be continued.
            OSError: The folder cannot be written to.
        """
        self.folder.make()
        stored = self.folder.read(_JOB)
        names = self.folder.names()
        if stored is not None:
            if not resume:
                raise DataError(
                    f"{self.place}: holds the parts of a job that did not end; continue it with "
                    "`resume`, or remove the folder to begin anew."
                )
            check_same_job(str(self.place), stored, job)
            self.folder.remove(_BEGUN)
            return
        if names - {"_job"}:
            finished = "the parts of a finished job" if _SUCCESS in names else "other files"
            raise DataError(
                f"{self.place}: expected an empty folder, got {finished}; choose another `output`."
            )
        self.folder.write(_JOB, json.dumps(job, indent=2).encode())

    @property
    def plan(self) -> Any:
        """The plan of the job; None if it is not made yet."""
        stored = self.folder.read(_PLAN)
        return None if stored is None else json.loads(stored)

    def keep_plan(self, plan: object) -> None:
        """Writes the plan."""
        self.folder.write(_PLAN, json.dumps(plan).encode())

    def name(self, number: int) -> str:
        """Returns the name of a part."""
        return f"part-{number:06}{self.extension}"

    def begin(self, number: int) -> None:
        """Counts that a worker begins a part.

        A part that ends its worker, because it needs more memory than there is, would otherwise be
        tried for ever.

        Raises:
            DataError: Too many workers were lost with this part.
        """
        name = f"{_BEGUN}/{number:06}"
        tries = int(self.folder.read(name) or 0)
        if tries >= MOST_TRIES:
            raise DataError(
                f"{self.place}: expected part {number} to be written, got {tries} workers that "
                "were lost with it; look for the reason, such as a lack of memory, and continue "
                "with `resume`."
            )
        self.folder.write(name, str(tries + 1).encode())

    def add(self, number: int, file: Path, record: Mapping[str, Any]) -> None:
        """Puts a part into the folder, and then the record that it is done.

        Args:
            number: The number of the part.
            file: The part, on this machine.
            record: What is to be known of it, as values of JSON.
        """
        self.folder.publish(file, self.name(number))
        self.folder.write(f"{_DONE}/{number:06}.json", json.dumps(record).encode())

    def done(self) -> set[int]:
        """Returns the numbers of the parts that are done."""
        parts = self.folder.names()
        numbers = {int(name.split(".")[0]) for name in self.folder.names(_DONE) if name[0] != "."}
        return {number for number in numbers if self.name(number) in parts}

    def record(self, number: int) -> dict[str, Any]:
        """Returns the record of a part that is done."""
        stored: dict[str, Any] = json.loads(self.folder.read(f"{_DONE}/{number:06}.json") or b"{}")
        return stored

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Ends the job.

        Args:
            summary: What `_SUCCESS` holds.
        """
        for name in self.folder.names():
            if name.startswith(f".{self.name(0)[:5]}"):  # A worker was killed while it wrote.
                self.folder.remove(name)
        self.folder.write(_SUCCESS, (json.dumps(summary, indent=2) + "\n").encode())
        self.folder.remove("_job")
