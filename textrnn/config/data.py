"""The settings that say where texts and labels come from, and how they are written."""

from __future__ import annotations

from dataclasses import dataclass

from textrnn.config.section import Section, check_file, setting
from textrnn.errors import ConfigError

__all__ = ["DataConfig", "listed_names", "separator"]


@dataclass(frozen=True)
class DataConfig(Section):
    """Where the texts and labels come from."""

    dataset: str | None = setting(
        None, "Data set: bbc_news, imdb, or any TFDS name such as glue/sst2."
    )
    data_dir: str | None = setting(None, "Folder of prepared TFDS data sets.", path=True)
    text_key: str | None = setting(None, "TFDS feature that holds the text.")
    label_key: str | None = setting(None, "TFDS feature that holds the label.")
    train_file: str | None = setting(
        None, "Training data: .csv, .tsv or .jsonl (perhaps .gz), or a folder per class.", path=True
    )
    valid_file: str | None = setting(
        None, "Validation data; a tenth of the training data if not given.", path=True
    )
    test_file: str | None = setting(None, "Test data, looked at once, after training.", path=True)
    unlabelled: bool = setting(
        False,
        "Learn from the data set's split `unsupervised` too, such as that of imdb; with --vat or "
        "--entropy.",
    )
    unlabelled_file: str | None = setting(
        None,
        "Texts without labels, one a line, or the text column of a .csv, .tsv or .jsonl file, to "
        "learn from too; with --vat or --entropy.",
        path=True,
    )
    text_column: str = setting("text", "Column or JSON key of the text.")
    label_column: str = setting("label", "Column or JSON key of the label.")
    label_columns: str | None = setting(
        None,
        "Columns of 0 and 1, one a label, such as toxic,insult, in place of --label-column.",
    )
    label_names: str | None = setting(
        None,
        "Names of the labels, such as toxic,insult, where a label cell is a vector of 0 and 1.",
    )
    check_labels: bool = setting(
        True,
        "Refuse labels that look like a mistake: combinations, numbers of a scale, a column of "
        "texts, sub-folders that are splits.",
    )
    delimiter: str | None = setting(
        None,
        "Between the columns of a table: one character, or tab.  [default: found from the header]",
    )
    encoding: str = setting("utf-8", "Character encoding of the files.")
    skip_bad_rows: bool = setting(
        False, "Count and skip rows that cannot be used instead of stopping at the first."
    )
    multi_label: bool = setting(False, "A text may carry any number of labels.")
    label_separator: str = setting(",", "Between the labels of one text, with --multi-label.")
    valid_fraction: float = setting(
        0.1,
        "Share of the training data held out when there is no validation set.",
        minimum=0.0,
        below=1.0,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.dataset is not None and self.train_file is not None:
            raise ConfigError("give either `dataset` or `train_file`, not both.")
        if self.train_file is None and (self.valid_file or self.test_file) and not self.dataset:
            raise ConfigError("`valid_file` and `test_file` need `train_file` beside them.")
        for name in ("train_file", "valid_file", "test_file", "unlabelled_file"):
            check_file(name, getattr(self, name))
        if self.label_columns is not None and self.label_names is not None:
            raise ConfigError("give either `label_columns` or `label_names`, not both.")
        if self.text_column == self.label_column and self.label_columns is None:
            raise ConfigError(
                f"`text_column` and `label_column` must differ, got {self.text_column!r} for both."
            )
        if self.delimiter is not None:
            separator(self.delimiter)
        if not self.label_separator:
            raise ConfigError("`label_separator` must be at least one character, got ''.")
        if self.valid_fraction == 0.0:
            raise ConfigError("`valid_fraction` must be more than 0, got 0.0.")


def listed_names(value: str | None) -> tuple[str, ...]:
    """The names in a setting such as `toxic,insult`; none if it is not set."""
    return tuple(name.strip() for name in value.split(",")) if value else ()


def separator(value: str) -> str:
    """The separator that a user's words stand for: one character, or `tab`.

    Raises:
        ConfigError: It is none.
    """
    found = {"tab": "\t", r"\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}.get(
        value.lower(), value
    )
    if len(found) != 1 or found in '"\r\n':
        raise ConfigError(
            "`delimiter` must be one character other than a quote or a line end, or the word tab, "
            f"got {value!r}."
        )
    return found
