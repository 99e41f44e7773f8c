"""Answers the rows of files on a cluster: all columns of the input, and the answers beside them."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import click

from textrnn.cli.answer_columns import ERROR, free_names, renamed_notices
from textrnn.cli.answer_table import AnswerJob, RowCounts, job_identity, prediction_job
from textrnn.cli.answers import AnswerOptions
from textrnn.cli.cluster_parts import ClusterJob, PartWork, SurveyWork, run_digest
from textrnn.cli.engine import settings_of
from textrnn.cli.output_options import OutputOptions
from textrnn.cli.text_options import STDIN, TextOptions
from textrnn.cluster.units import RunUnits, Work
from textrnn.data.input_parts import FileSurvey, common_layout, parts_of
from textrnn.data.part_folder import PartFolder
from textrnn.data.paths import input_files, kind
from textrnn.data.stores import address_of, as_path, stamp
from textrnn.data.writers import WRITERS
from textrnn.data.writers.writer import Layout
from textrnn.errors import DataError
from textrnn.progress import Reporter

__all__ = ["cluster_job", "write_on_cluster"]

_FORMATS = (".parquet", ".csv", ".tsv", ".jsonl", ".ndjson")
"""The extensions of the parts that are written."""
_READ_AT_A_TIME = 16
"""The number of Parquet files whose ends are read at the same time."""
_VERSION = 1


def cluster_job(
    run: Path,
    source: TextOptions,
    *,
    engine: str,
    options: AnswerOptions,
    written: OutputOptions,
    abstain_below: float | None,
) -> ClusterJob:
    """Returns the job that the options of `textrnn predict` describe.

    Args:
        run: The run folder.
        source: The files of the texts.
        engine: The value of `--engine`.
        options: What the answers contain in addition to the prediction from the whole text.
        written: The folder of the answers, and the columns that they get.
        abstain_below: The probability below which an answer is withheld; None: as in the run.

    Raises:
        click.UsageError: There are no files, or no folder.
        DataError: The format of the parts is unknown.
        ModelError: The run is missing.
    """
    if source.path is None or str(source.path) == STDIN or written.output is None:
        raise click.UsageError("--cluster needs --file FILES and --output FOLDER.")
    output = as_path(written.output)
    extension = kind(source.path) if kind(source.path) in _FORMATS else _FORMATS[0]
    if output.name.startswith("*"):
        output, extension = output.parent, kind(output)
    if extension not in _FORMATS or kind(output) in WRITERS:
        raise DataError(
            f"{written.output}: expected a folder, which gets parts of the format of the input, or "
            f"a folder and *{', *'.join(_FORMATS)}; choose another `output`."
        )
    return ClusterJob(
        run=run.absolute(),
        engine=engine,
        options=options,
        shown=written.columns,
        form=source.file_format(settings_of(run).data),
        output=output if address_of(output) else output.absolute(),
        extension=extension,
        home=os.getcwd(),
        abstain_below=abstain_below,
        run_digest=run_digest(run),
    )


def write_on_cluster(
    job: ClusterJob,
    source: TextOptions,
    *,
    cluster: AbstractContextManager[RunUnits],
    resume: bool,
    reporter: Reporter,
) -> float:
    """Answers all rows of some files on a cluster, and writes them into the parts of a folder.

    The files are read in parts of at most `UNIT_ROWS` rows. Each part of the output has the rows of
    one of them, so that the sorted names of the parts give the order of the input.

    Args:
        job: What the workers must know.
        source: The files of the texts.
        cluster: Connects to the cluster; see `units_on`.
        resume: Whether to continue a job that was stopped.
        reporter: Receives the progress and the notes.

    Returns:
        The share of the tokens that `max_length` cut off.

    Raises:
        DataError: The files cannot be read or written, or the job that is continued is another one.
        ConfigError: The cluster does not answer, or the classifier cannot answer in this way.
    """
    files = input_files(source.path or "")
    run = job.open_run()
    answering = prediction_job(run, job.options, job.shown)
    folder = job.open_folder()
    identity = {
        "version": _VERSION,
        "files": {str(path): stamp(path) for path in files},
        "extension": job.extension,
        "unit_rows": job.unit_rows,
        **job_identity(run, job.form, answering),
    }
    with _writing(job.output), cluster as run_units:
        folder.start(identity, resume=resume)
        try:
            if folder.plan is None:
                folder.keep_plan(_surveys(job, files, run_units, reporter))
            surveys = [FileSurvey.of(values) for values in folder.plan]
            layout = _layout(job, surveys, answering, reporter)
            units = _units(surveys, job.unit_rows)
            work = partial(PartWork, job, layout)
            _answer(work, units, run_units, folder=folder, reporter=reporter)
        except KeyboardInterrupt:
            reporter.message("note: the same command with --resume continues this job.")
            raise
        return _finish(job, folder, surveys, len(units), reporter)


def _surveys(
    job: ClusterJob, files: Sequence[Path], run_units: RunUnits, reporter: Reporter
) -> list[dict[str, Any]]:
    """Returns what each file has; this process reads the ends of Parquet files itself."""
    units = [{"number": number, "file": str(path)} for number, path in enumerate(files)]
    ends = [unit for unit, path in zip(units, files, strict=True) if kind(path) == ".parquet"]
    others = [unit for unit, path in zip(units, files, strict=True) if kind(path) != ".parquet"]
    surveys: dict[int, dict[str, Any]] = {}
    step = reporter.step("files read", total=len(units))
    with step as advance, ThreadPoolExecutor(_READ_AT_A_TIME) as threads:
        read = threads.map(SurveyWork(job), ends)
        for found in itertools.chain(read, run_units(others, partial(SurveyWork, job))):
            surveys[found["number"]] = found["survey"]
            advance(1)
    return [surveys[number] for number in range(len(units))]


def _layout(
    job: ClusterJob, surveys: Sequence[FileSurvey], answering: AnswerJob, reporter: Reporter
) -> Layout:
    """Returns the columns of the parts, as `output_layout` does for a file."""
    columns, schema = common_layout(surveys, typed=job.extension == ".parquet")
    added = {**answering.types, ERROR: str}
    names = free_names(list(added), columns)
    for notice in renamed_notices(list(added), names):
        reporter.message(f"note: {notice}")
    layout = Layout(columns, dict(zip(names, added.values(), strict=True)), schema)
    WRITERS[job.extension](layout)  # Finds columns that the format cannot hold.
    return layout


def _units(surveys: Sequence[FileSurvey], unit_rows: int) -> list[dict[str, Any]]:
    """Returns a unit for each part of the files."""
    units: list[dict[str, Any]] = []
    for file, found in enumerate(surveys):
        for piece, part in enumerate(parts_of(found, first=len(units), unit_rows=unit_rows)):
            units.append({"part": part.values(), "file": file, "piece": piece})
    return units


def _answer(
    work: Callable[[], Work],
    units: Sequence[Mapping[str, Any]],
    run_units: RunUnits,
    *,
    folder: PartFolder,
    reporter: Reporter,
) -> None:
    """Answers the parts that are not done."""
    done = folder.done()
    todo = [unit for unit in units if unit["part"]["number"] not in done]
    total = sum(unit["part"]["rows"] for unit in units)
    left = sum(unit["part"]["rows"] for unit in todo)
    with reporter.step("rows", total=total) as advance:
        advance(total - left)
        begin, rows = time.monotonic(), 0
        for result in run_units(todo, work):
            rows += result["rows"]
            rate = rows / (time.monotonic() - begin)
            advance(result["rows"], f"{rate:,.0f} rows/s")


def _finish(
    job: ClusterJob,
    folder: PartFolder,
    surveys: Sequence[FileSurvey],
    parts: int,
    reporter: Reporter,
) -> float:
    """Checks that all rows are there, and ends the job; returns the share of the cut tokens."""
    missing = set(range(parts)) - folder.done()
    if missing:
        raise DataError(
            f"{job.output}: expected {parts:,} parts, got none of number {min(missing)}; was it "
            "removed? Continue with `resume`."
        )
    counts, tokens, cut = RowCounts(), 0, 0
    for number in range(parts):
        record = folder.record(number)
        counts.add(RowCounts(**record["counts"]))
        tokens, cut = tokens + record["tokens"], cut + record["cut"]
    folder.finish({"rows": counts.rows, "parts": parts})
    for notice in (notice for found in surveys for notice in found.notices):
        reporter.message(f"note: {notice}")
    counts.report(job.output, reporter)
    return cut / max(tokens, 1)


@contextmanager
def _writing(output: Path) -> Iterator[None]:
    """Makes a DataError of an error of the operating system."""
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{output}: cannot be written: {error.strerror or error}; free the disk or check the "
            "permissions, and continue with `resume`."
        ) from error
