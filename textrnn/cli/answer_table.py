"""Writes a table of answers: all columns of the input, and the answer to each row beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from textrnn.cli.answer_columns import (
    ERROR,
    AnswerColumns,
    ColumnOptions,
    free_names,
    renamed_notices,
)
from textrnn.cli.answers import AnswerOptions, answer_texts, label_separator
from textrnn.cli.flags import flags_in_message
from textrnn.cli.output_options import OutputOptions
from textrnn.cli.text_options import STDIN, TextOptions
from textrnn.data.column_types import MIXED_TYPES, infer_schema
from textrnn.data.file_format import FileFormat
from textrnn.data.input_table import InputTable
from textrnn.data.kept_rows import KeptRow
from textrnn.data.paths import kind
from textrnn.data.resumable_output import PART_ROWS, ResumableOutput
from textrnn.data.rows import RowError, check_text
from textrnn.data.writers import WRITERS
from textrnn.data.writers.excel import check_fits
from textrnn.data.writers.writer import Layout
from textrnn.inference.run_files import DIGESTS
from textrnn.messages.wording import counted

if TYPE_CHECKING:
    from textrnn.cli.answering_run import AnsweringRun
    from textrnn.progress import Reporter

__all__ = [
    "EXPLAINED_ROWS",
    "AnswerJob",
    "AnswerTable",
    "RowCounts",
    "job_identity",
    "output_layout",
    "prediction_job",
    "write_answers",
    "write_predictions",
]

EXPLAINED_ROWS = 256
"""The number of rows of a part whose texts are explained, which takes a hundred times as long."""

MakeCells = Callable[[list[str]], list[list[object]]]
"""Returns the cells of the added columns, without the error, for each of some texts."""


def output_layout(table: InputTable, added: Mapping[str, type], *, output: Path) -> Layout:
    """Returns the columns of a table of answers.

    Args:
        table: The table of the texts. If it states no types and the output needs them, it is read.
        added: The types of the added columns by their usual names.
        output: The file.
    """
    schema = table.schema
    mixed = any(kind(path) in MIXED_TYPES for path in table.files)
    if schema is None and mixed and kind(output) == ".parquet":
        schema = infer_schema(table.columns, (kept.cells for kept in table.rows()))
        table.notices.clear()
    names = free_names(list(added), table.columns)
    return Layout(table.columns, dict(zip(names, added.values(), strict=True)), schema)


class Rows(Protocol):
    """The rows of a table; see `InputTable`."""

    notices: list[str]

    def parts(self, size: int) -> Iterator[list[KeptRow]]:
        """Yields all rows in lists of at most `size`."""


@dataclass
class RowCounts:
    """The rows of a table, and those that were not ordinary.

    Attributes:
        rows: The number of all rows.
        blank: That of the blank texts.
        bad: That of the rows that cannot be read.
        first_problem: Why the first of them cannot be read.
    """

    rows: int = 0
    blank: int = 0
    bad: int = 0
    first_problem: str = ""

    def add(self, other: RowCounts) -> None:
        """Adds the counts of the rows that follow."""
        self.rows += other.rows
        self.blank += other.blank
        self.bad += other.bad
        self.first_problem = self.first_problem or other.first_problem

    def report(self, path: Path, reporter: Reporter) -> None:
        """Reports the counts.

        Args:
            path: What was written.
            reporter: Receives the notes.
        """
        if self.blank:
            reporter.message(
                f"note: {counted(self.blank, 'text is', 'texts are')} blank and got an empty "
                "answer."
            )
        if self.bad:
            reporter.message(
                f"note: {counted(self.bad, 'row')} could not be read and got an empty answer (the "
                f"first: {self.first_problem})."
            )
        reporter.message(f"{counted(self.rows, 'row')} written to {path}")


class AnswerTable:
    """Answers the rows of a table in parts, and writes the parts.

    A row that cannot be read has an empty answer and the reason in its last column.

    Args:
        table: The table of the texts.
        output: Receives the rows.
        encoding: The encoding of the texts, for messages.
        reporter: Receives the progress and the notes.
        part_rows: The number of rows of a part.
    """

    def __init__(
        self,
        table: Rows,
        output: ResumableOutput,
        *,
        encoding: str,
        reporter: Reporter,
        part_rows: int = PART_ROWS,
    ) -> None:
        self._table, self._output, self._part_rows = table, output, part_rows
        self._encoding, self._reporter = encoding, reporter
        self.counts = RowCounts()

    def write(self, answer: MakeCells, *, width: int) -> None:
        """Answers all rows that no earlier job has answered, and writes the file.

        Args:
            answer: Returns the cells of the answers to some texts.
            width: The number of cells of an answer.

        Raises:
            DataError: The table is damaged, or the file cannot be written.
        """
        try:
            with self._reporter.step("rows", total=0) as advance:
                for number, part in enumerate(self._table.parts(self._part_rows)):
                    texts = [self._text(kept) for kept in part]
                    if number >= self._output.done:
                        self._output.add(
                            list(_with_answers(part, texts, answer=answer, width=width))
                        )
                    advance(len(part))
            self._output.finish()
        except KeyboardInterrupt:
            self._reporter.message("note: the same command with --resume continues this job.")
            raise
        finally:
            self._output.discard(only_if_empty=True)

    def _text(self, kept: KeptRow) -> str | RowError:
        """Returns the text of a row, or why it has none."""
        self.counts.rows += 1
        try:
            text = check_text(kept.row, encoding=self._encoding)
        except RowError as problem:
            self.counts.bad += 1
            reason = RowError(flags_in_message(f"{kept.row.origin}: {problem}"))
            self.counts.first_problem = self.counts.first_problem or str(reason)
            return reason
        if not text.strip():
            self.counts.blank += 1
            return RowError(f"{kept.row.origin}: the text is blank")
        return text

    def report(self, path: Path) -> None:
        """Reports what was written, and the rows that were not ordinary.

        Args:
            path: The file that was written.
        """
        for notice in self._table.notices:
            self._reporter.message(f"note: {notice}")
        self.counts.report(path, self._reporter)


def _with_answers(
    part: Sequence[KeptRow], texts: Sequence[str | RowError], *, answer: MakeCells, width: int
) -> Iterator[list[Any]]:
    """Yields the cells of each row with those of its answer and of its error."""
    answers = iter(answer([text for text in texts if isinstance(text, str)]))
    for kept, text in zip(part, texts, strict=True):
        if isinstance(text, str):
            yield [*kept.cells, *next(answers), None]
        else:
            yield [*kept.cells, *[None] * width, str(text)]


@dataclass(frozen=True)
class AnswerJob:
    """How the rows of a file are answered.

    Attributes:
        types: The types of the added columns, without that of the errors, by their usual names.
        cells: Returns their cells for some texts.
        options: What the answers depend on beside the run and the file.
        part_rows: The number of rows that are answered together.
    """

    types: Mapping[str, type]
    cells: MakeCells
    options: Mapping[str, object]
    part_rows: int = PART_ROWS


def write_predictions(
    run: AnsweringRun,
    source: TextOptions,
    *,
    options: AnswerOptions,
    written: OutputOptions,
    reporter: Reporter,
) -> None:
    """Answers all rows of a file, and writes the answers beside its columns into another file.

    Args:
        run: The run that answers.
        source: The file of the texts.
        options: What the answers contain in addition to the prediction from the whole text.
        written: The file that is written, and the columns that it gets.
        reporter: Receives the progress and the notes.

    Raises:
        DataError: The files cannot be read or written, or the job that is continued is another one.
        ConfigError: The classifier cannot answer with these options.
    """
    job = prediction_job(run, options, written.columns)
    write_answers(run, source, job=job, written=written, reporter=reporter)


def prediction_job(run: AnsweringRun, options: AnswerOptions, shown: ColumnOptions) -> AnswerJob:
    """Returns how a run answers the rows of a file.

    Args:
        run: The run that answers.
        options: What the answers contain in addition to the prediction from the whole text.
        shown: The columns that the user asks for.
    """
    columns = AnswerColumns.of(
        run, shown, separator=label_separator(run.classifier), figures=options.figures
    )
    return AnswerJob(
        columns.types,
        lambda texts: [columns.cells(a) for a in answer_texts(run, texts, options)],
        options={**asdict(options), **asdict(shown)},
        part_rows=EXPLAINED_ROWS if shown.explain_words else PART_ROWS,
    )


def write_answers(
    run: AnsweringRun,
    source: TextOptions,
    *,
    job: AnswerJob,
    written: OutputOptions,
    reporter: Reporter,
) -> None:
    """Writes all columns of a file and the cells of a job beside them into another file.

    Args:
        run: The run that answers.
        source: The file of the texts.
        job: How the rows are answered.
        written: The file that is written, and whether an earlier job continues.
        reporter: Receives the progress and the notes.

    Raises:
        DataError: The files cannot be read or written, or the job that is continued is another one.
        ConfigError: The classifier cannot answer in this way.
    """
    output, form = Path(written.output or ""), source.file_format(run.config.data)
    table = InputTable(source.path or STDIN, form)
    added = {**job.types, ERROR: str}
    layout = output_layout(table, added, output=output)
    for notice in renamed_notices(list(added), list(layout.added)):
        reporter.message(f"note: {notice}")
    journal: dict[str, Any] = {}
    if written.resume or str(source.path) != STDIN:
        journal = {
            "files": list(map(str, table.files)),
            "input": table.digest(),
            **job_identity(run, form, job),
        }
    writer = WRITERS[kind(output)](layout)
    if kind(output) == ".xlsx" and str(source.path) != STDIN:
        # Otherwise the limits of a sheet would be met after hours of answers.
        check_fits(table.columns, (kept.cells for kept in table.rows()))
        table.notices.clear()
    parts = ResumableOutput(output, writer, job=journal, resume=written.resume)
    answers = AnswerTable(
        table, parts, encoding=form.encoding, reporter=reporter, part_rows=job.part_rows
    )
    answers.write(job.cells, width=len(job.types))
    answers.report(output)


def job_identity(run: AnsweringRun, form: FileFormat, job: AnswerJob) -> dict[str, Any]:
    """Returns what the answers depend on beside the rows, as plain values by name."""
    return {
        "run": hashlib.sha256((run.folder / DIGESTS).read_bytes()).hexdigest(),
        "options": _plain({**asdict(form), **job.options}),
        "decisions": repr(run.label_space),
    }


def _plain(values: Mapping[str, object]) -> dict[str, object]:
    """Returns the values with paths as strings, ready for JSON."""
    return {
        name: str(value) if isinstance(value, Path) else value for name, value in values.items()
    }
