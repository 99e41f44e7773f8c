"""The options of a file of answers, and the checks of them that need no TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import click

from textrnn.cli.answer_columns import ColumnOptions
from textrnn.cli.option_group import OptionGroup
from textrnn.errors import DataError

__all__ = [
    "OUTPUT_FILE_OPTIONS",
    "OutputOptions",
    "check_output_file",
    "check_output_options",
    "output_options",
]


@dataclass(frozen=True)
class OutputOptions:
    """The values of the options that `output_options` adds.

    Attributes:
        output: The file of the answers; None: they are printed.
        resume: Whether to continue a job that was stopped.
        top_k: The number of labels with their scores.
        all_scores: Whether to write the score of each label.
        token_counts: Whether to write how many tokens each text has.
        explain_words: The number of words that did the most for the label.
    """

    output: Path | None = None
    resume: bool = False
    top_k: int = 1
    all_scores: bool = False
    token_counts: bool = False
    explain_words: int = 0

    @property
    def columns(self) -> ColumnOptions:
        """The columns that the options ask for."""
        return ColumnOptions(self.top_k, self.all_scores, self.token_counts, self.explain_words)


OUTPUT_FILE_OPTIONS = (
    click.option(
        "--output",
        type=click.Path(path_type=Path),
        help="Write the answers into a .csv, .tsv, .jsonl, .parquet or .xlsx file, with all "
        "columns of --file, instead of printing them. With --cluster: a folder, or "
        "'FOLDER/*.csv'.",
    ),
    click.option(
        "--resume",
        is_flag=True,
        help="Continue a job with the same --output that was stopped, after its last part.",
    ),
)
"""The options of the file itself."""

output_options = OptionGroup(
    OutputOptions,
    *OUTPUT_FILE_OPTIONS,
    click.option(
        "--top-k",
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        help="With --output: add this number of labels with their scores.",
    ),
    click.option(
        "--all-scores", is_flag=True, help="With --output: add a column with each label's score."
    ),
    click.option(
        "--token-counts",
        is_flag=True,
        help="With --output: add the number of tokens of each text, and of those that were cut.",
    ),
    click.option(
        "--explain-words",
        type=click.IntRange(min=0),
        default=0,
        help="With --output: add this number of words that did the most for the label, with their "
        "scores. This is slow: about as long as a hundred answers for each text.",
    ),
    name="written",
)
"""Adds the options of a file of answers; the command receives them as its parameter `written`."""


def check_output_options(written: OutputOptions, path: Path | None) -> None:
    """Checks, before TensorFlow is imported, whether the answers can be written.

    Args:
        written: The options.
        path: The file of the texts; None if there is none.

    Raises:
        click.UsageError: An option needs `--output`, or `--output` needs a file of texts.
        DataError: The file cannot be written, or is the file of the texts.
    """
    if written.output is None:
        given = [
            field.name
            for field in fields(written)
            if getattr(written, field.name) != getattr(OutputOptions(), field.name)
        ]
        if given:
            flags = ", ".join(f"--{name.replace('_', '-')}" for name in given)
            scores = {"top_k", "all_scores"} & set(given)
            instead = "; --json prints the scores of all labels" if scores else ""
            raise click.UsageError(f"expected --output FILE with {flags}, got none{instead}.")
        return
    if path is None:
        raise click.UsageError("--output needs --file, or - for stdin.")
    if str(path) == "-" and written.resume:
        raise click.UsageError("--resume needs --file, because stdin cannot be read twice.")
    from textrnn.data.paths import input_files

    check_output_file(written.output, resume=written.resume)
    if str(path) != "-" and written.output.exists():
        for file in input_files(path):
            if file.exists() and file.samefile(written.output):
                raise DataError(
                    f"{written.output}: expected another file than that of the texts; choose "
                    "another `output`."
                )


def check_output_file(output: Path, *, resume: bool) -> None:
    """Raises DataError if a file cannot be written, or its extension names no format.

    So does a format whose package is missing.
    """
    from textrnn.data.paths import kind
    from textrnn.data.resumable_output import check_output
    from textrnn.data.writers import WRITERS
    from textrnn.data.writers.writer import Layout

    if kind(output) not in WRITERS or output.suffix.lower() == ".gz":
        raise DataError(
            f"{output}: expected the name of a {', '.join(WRITERS)} file, got "
            f"{output.suffix or 'no extension'}; choose another `output`."
        )
    WRITERS[kind(output)](Layout(()))  # Finds a missing package before TensorFlow is loaded.
    check_output(output, resume=resume)
