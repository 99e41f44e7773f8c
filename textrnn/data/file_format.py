"""The format of the user's files, as the settings describe it."""

from __future__ import annotations

from dataclasses import dataclass

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.data import join_text, separator
from textrnn.config.section import listed_names
from textrnn.data.columns import Column

__all__ = ["FileFormat"]


@dataclass(frozen=True)
class FileFormat:
    """The format of the files of a data set.

    >>> FileFormat(text_column="review", encoding="latin-1").label_column
    'label'

    Attributes:
        text_column: The column or JSON key of the text, or several ones with commas between them.
        label_column: The column or JSON key of the label.
        label_columns: Columns of 0 and 1, one per label, which replace `label_column`.
        encoding: The character encoding.
        delimiter: The character between the columns of a table; None detects it from the header.
        check_labels: Whether folders that look like splits are an error.
        text_join: The characters between the texts of several columns.
        other_columns: Columns that are read beside the label, of which each row is a dictionary.
    """

    text_column: str = "text"
    label_column: str = "label"
    label_columns: tuple[str, ...] = ()
    encoding: str = "utf-8"
    delimiter: str | None = None
    check_labels: bool = True
    text_join: str = "\n"
    other_columns: tuple[Column, ...] = ()

    @classmethod
    def of(cls, config: ClassifierRunConfig) -> FileFormat:
        """Returns the format that the settings describe."""
        return cls(
            text_column=config.data.text_column,
            label_column=config.data.label_column,
            label_columns=listed_names(config.task.label_columns),
            encoding=config.data.encoding,
            delimiter=None if config.data.delimiter is None else separator(config.data.delimiter),
            check_labels=config.task.check_labels,
            text_join=join_text(config.data.text_join),
        )

    @property
    def text(self) -> Column:
        """The column of the text."""
        return Column(self.text_column, "text_column", several=True)

    @property
    def labels(self) -> tuple[Column, ...]:
        """The columns of the labels."""
        several = tuple(Column(name, "label_columns") for name in self.label_columns)
        return several or (Column(self.label_column, "label_column"),)
