"""The options that say where a command reads its texts from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from textrnn.cli.option_group import OptionGroup
from textrnn.config.choices import TABLES

if TYPE_CHECKING:
    from textrnn.config.data import DataConfig
    from textrnn.config.language_model import TextConfig
    from textrnn.data import FileFormat

__all__ = ["FILE_OPTIONS", "STDIN", "TextOptions", "text_options"]

STDIN = "-"
"""The name that stands for standard input."""


@dataclass(frozen=True)
class TextOptions:
    """The values of the argument TEXTS and of the options that `text_options` adds.

    Attributes:
        texts: The arguments; `-` alone is stdin.
        file: The file of the texts, if one is given.
        text_column: The column of the texts; None: the column of the run's data.
        text_join: The characters between the texts of several columns; None: those of the run's
            data.
        delimiter: The separator of the columns; None: the separator of the run's data.
        encoding: Encoding of the file or of stdin; None: the encoding of the run's data.
        skip_bad_rows: Whether a row that cannot be read is skipped and not an error.
    """

    texts: tuple[str, ...] = ()
    file: Path | None = None
    text_column: str | None = None
    delimiter: str | None = None
    encoding: str | None = None
    skip_bad_rows: bool = False
    text_join: str | None = None

    @property
    def path(self) -> Path | None:
        """The file that holds the texts, `-` for stdin; None if the arguments are the texts."""
        if self.file is not None:
            return self.file
        return Path(STDIN) if self.texts == (STDIN,) else None

    def check(self) -> None:
        """Checks that the options name one source of texts and suit it.

        Raises:
            click.UsageError: There is no source, or more than one, or an option has no meaning for
                the source.
            DataError: The file is missing.
        """
        if (self.file is None) == (not self.texts) or (STDIN in self.texts and len(self.texts) > 1):
            raise click.UsageError("give either TEXTS, or - for stdin, or --file.")
        for option, value in _unused(self).items():
            if value is not None:
                raise click.UsageError(f"{option} has no meaning for {_described(self.path)}.")
        if self.file is not None:
            from textrnn.data.paths import check_exists

            check_exists(self.file)

    def file_format(self, data: DataConfig | TextConfig) -> FileFormat:
        """Returns the format of the file.

        Args:
            data: The settings of the run's data, which hold where the options say nothing.

        Raises:
            ConfigError: The delimiter is not valid.
        """
        from textrnn.config.data import join_text, separator
        from textrnn.data import FileFormat

        delimiter = data.delimiter if self.delimiter is None else self.delimiter
        return FileFormat(
            text_column=data.text_column if self.text_column is None else self.text_column,
            label_column=getattr(data, "label_column", "label"),
            encoding=data.encoding if self.encoding is None else self.encoding,
            delimiter=None if delimiter is None else separator(delimiter),
            text_join=join_text(data.text_join if self.text_join is None else self.text_join),
        )


def _unused(options: TextOptions) -> dict[str, str | None]:
    """Maps the options that have no meaning for the source of the texts to their values."""
    delimiter = {"--delimiter": options.delimiter}
    column = {"--text-column": options.text_column, "--text-join": options.text_join}
    if options.path is None:
        return {**column, **delimiter, "--encoding": options.encoding}
    from textrnn.data.delimiters import DELIMITERS
    from textrnn.data.paths import kind
    from textrnn.data.text_files import has_columns

    if not has_columns(options.path):
        return {**column, **delimiter}
    return {} if kind(options.path) in DELIMITERS else delimiter


def _described(path: Path | None) -> str:
    if path is None:
        return "texts that are given as arguments"
    from textrnn.data.formats import COLUMNS
    from textrnn.data.paths import kind

    name = "stdin" if str(path) == STDIN else str(path)
    return name if kind(path) in COLUMNS else f"{name}, which has no columns"


FILE_OPTIONS = (
    click.option(
        "--file",
        "file",
        type=click.Path(path_type=Path),
        help=f"Read texts from a file: one text per line, or a column of a {TABLES} file; or from "
        "several, by a pattern such as 'data/*.csv'.",
    ),
    click.option(
        "--text-column",
        help="Column of the text, or several, such as title,body, whose texts are joined.  "
        "[default: as in the data of the run]",
    ),
    click.option(
        "--text-join",
        help=r"Characters between the texts of several columns, such as \n for a line end.  "
        "[default: as in the data of the run]",
    ),
    click.option(
        "--delimiter",
        help="Separator of the file's columns: one character, or tab.  [default: as in the data of "
        "the run, else found from the header]",
    ),
    click.option(
        "--encoding",
        help="Encoding of the file or of stdin.  [default: as in the data of the run]",
    ),
    click.option(
        "--skip-bad-rows",
        is_flag=True,
        help="Print an empty answer, with the reason, for each row that cannot be read, instead of "
        "stopping at the first one. With --output, this is always so.",
    ),
)
"""The options of a file of texts."""

text_options = OptionGroup(
    TextOptions, click.argument("texts", nargs=-1), *FILE_OPTIONS, name="source"
)
"""Adds the argument TEXTS and the options of its alternatives; the command receives the values as
its parameter `source`, a `TextOptions`."""
