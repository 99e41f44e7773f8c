"""The work of one worker of a cluster that answers the rows of files."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from textrnn.cli.answer_columns import ColumnOptions
from textrnn.cli.answer_table import AnswerJob, AnswerTable, prediction_job
from textrnn.cli.answering_run import AnsweringRun, open_run, with_scorer
from textrnn.cli.answers import AnswerOptions
from textrnn.data.file_format import FileFormat
from textrnn.data.input_parts import UNIT_ROWS, InputPart, PartRows, piece_name, survey
from textrnn.data.part_folder import PIECES, PartFolder
from textrnn.data.resumable_output import ResumableOutput
from textrnn.data.stores import as_path
from textrnn.data.writers import WRITERS
from textrnn.data.writers.writer import Layout
from textrnn.errors import ModelError
from textrnn.inference.run_files import DIGESTS
from textrnn.progress import Silent

__all__ = ["ClusterJob", "PartWork", "SurveyWork", "run_digest"]


@dataclass(frozen=True)
class ClusterJob:
    """One job of labelling. Each worker gets a copy of it.

    Attributes:
        run: The run folder, which is at this path on all machines.
        engine: The value of `--engine`.
        options: What the answers contain in addition to the prediction from the whole text.
        shown: The columns that the user asks for.
        form: The format of the files.
        output: The folder of the parts.
        extension: The extension of the parts.
        home: The folder that relative paths begin in.
        run_digest: The digest of the run.
        abstain_below: The probability below which an answer is withheld; None: as in the run.
        unit_rows: The most rows of a part: a multiple of those that are answered together.
    """

    run: Path
    engine: str
    options: AnswerOptions
    shown: ColumnOptions
    form: FileFormat
    output: Path
    extension: str
    home: str
    run_digest: str
    abstain_below: float | None = None
    unit_rows: int = UNIT_ROWS

    def open_run(self) -> AnsweringRun:
        """Opens the run that answers, as `textrnn predict` does on one machine.

        Raises:
            ModelError: The run is missing, damaged, or another one than the job began with.
        """
        if run_digest(self.run) != self.run_digest:
            raise ModelError(
                f"{self.run}: expected the run that the job began with, got another one; put the "
                "same run at this path on all machines, or on a disk that they share."
            )
        heavy = "--explain-words" if self.shown.explain_words else ""
        opened = open_run(self.run, self.engine, needs_tensorflow=heavy)
        if self.options.likelihood:
            model = self.options.language_model
            (opened,) = with_scorer(opened, [], model, engine=self.engine)
        return opened.abstaining(self.abstain_below)

    def open_folder(self) -> PartFolder:
        """Returns the folder of the parts, in a process whose relative paths are those of the job.

        Their names are in messages, which therefore are the same as without a cluster.
        """
        if os.path.isdir(self.home):
            os.chdir(self.home)
        return PartFolder(self.output, self.extension)


class SurveyWork:
    """Counts the rows of a file, and cuts it if it is no Parquet file.

    Args:
        job: What the workers must know.
    """

    def __init__(self, job: ClusterJob) -> None:
        self._job, self._folder = job, job.open_folder()

    def __call__(self, unit: Mapping[str, Any]) -> Mapping[str, Any]:
        """Returns the survey of the file."""
        found = survey(
            as_path(unit["file"]),
            self._job.form,
            folder=self._folder.folder,
            place=_pieces_of(unit["number"]),
            unit_rows=self._job.unit_rows,
        )
        return {"number": unit["number"], "survey": found.values()}


class PartWork:
    """Answers the rows of a part and writes them.

    Args:
        job: What the workers must know.
        layout: The columns of the parts.
    """

    def __init__(self, job: ClusterJob, layout: Layout) -> None:
        self._job, self._layout, self._folder = job, layout, job.open_folder()

    @cached_property
    def _answers(self) -> tuple[AnsweringRun, AnswerJob]:
        run = self._job.open_run()
        return run, prediction_job(run, self._job.options, self._job.shown)

    def __call__(self, unit: Mapping[str, Any]) -> Mapping[str, Any]:
        """Returns the counts of the rows of the part."""
        run, answering = self._answers
        part, form = InputPart.of(unit["part"]), self._job.form
        self._folder.begin(part.number)
        piece = self._folder.folder.path(piece_name(_pieces_of(unit["file"]), unit["piece"]))
        rows = PartRows(part, form, columns=self._layout.kept, piece=piece)
        writer = WRITERS[self._job.extension](self._layout)
        tokens, cut = run.token_counts
        with tempfile.TemporaryDirectory() as scratch:
            file = Path(scratch) / self._folder.name(part.number)
            table = AnswerTable(
                rows,
                ResumableOutput(file, writer, job={}),
                encoding=form.encoding,
                reporter=Silent(),
                part_rows=answering.part_rows,
            )
            table.write(answering.cells, width=len(answering.types))
            counted_tokens, counted_cut = run.token_counts
            tokens, cut = counted_tokens - tokens, counted_cut - cut
            record = {"counts": asdict(table.counts), "tokens": tokens, "cut": cut}
            self._folder.add(part.number, file, record)
        return {"rows": table.counts.rows}


def run_digest(run: Path) -> str:
    """Returns the digest of the files of a run.

    Raises:
        ModelError: There is no finished run.
    """
    try:
        return hashlib.sha256((run / DIGESTS).read_bytes()).hexdigest()
    except OSError as error:
        raise ModelError(
            f"{run}: expected a finished run, got: {error.strerror}; the run must be at this path "
            "on all machines."
        ) from None


def _pieces_of(file: int) -> str:
    """Returns the folder of the pieces of a file."""
    return f"{PIECES}/{file:06}"
