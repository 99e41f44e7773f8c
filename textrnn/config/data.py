"""The settings of the source of texts and labels."""

from __future__ import annotations

from dataclasses import dataclass

from textrnn.config.choices import TABLES
from textrnn.config.section import Section, check_file, setting
from textrnn.errors import ConfigError

__all__ = ["IN_MEMORY", "DataConfig", "fold_of", "join_text", "separator"]

IN_MEMORY = "in_memory"
"""The data set of a run whose texts were in memory."""


@dataclass(frozen=True)
class DataConfig(Section):
    """The source of the texts and labels."""

    dataset: str | None = setting(
        None, "Data set: bbc_news, imdb, or any TFDS name such as glue/sst2.", common=True
    )
    data_dir: str | None = setting(None, "Folder of prepared TFDS data sets.", path=True)
    text_key: str | None = setting(None, "TFDS feature that holds the text.")
    label_key: str | None = setting(None, "TFDS feature that holds the label.")
    train_file: str | None = setting(
        None,
        f"Training data: a {TABLES} file, fastText lines (.txt), a folder with one sub-folder per "
        "class, or one that Hugging Face `datasets` saved. Several files: a pattern such as "
        "'data/*.parquet', or names with commas between them.",
        path=True,
        several=True,
        common=True,
    )
    valid_file: str | None = setting(
        None,
        "Validation data; a tenth of the training data if not given.",
        path=True,
        several=True,
        common=True,
    )
    test_file: str | None = setting(
        None, "Test data, measured once, after training.", path=True, several=True, common=True
    )
    unlabelled: bool = setting(
        False,
        "Learn also from the data set's split `unsupervised`, such as that of imdb; with --vat, "
        "--entropy or --teacher.",
    )
    unlabelled_file: str | None = setting(
        None,
        "Texts without labels to learn from as well: one text per line, or the text column of a "
        f"{TABLES} file; with --vat, --entropy or --teacher.",
        path=True,
        several=True,
    )
    text_column: str = setting(
        "text",
        "Column or JSON key of the text, or several, such as title,body, whose texts are joined.",
        common=True,
    )
    text_join: str = setting(
        r"\n",
        r"Characters between the texts of several columns; \n stands for a line end, \t for a tab.",
    )
    label_column: str = setting("label", "Column or JSON key of the label.", common=True)
    delimiter: str | None = setting(
        None,
        "Separator of a table's columns: one character, or tab.  [default: found from the header]",
        common=True,
    )
    encoding: str = setting("utf-8", "Character encoding of the files.", common=True)
    skip_bad_rows: bool = setting(
        False,
        "Count and skip rows that cannot be used, instead of stopping at the first one.",
        common=True,
    )
    group_column: str | None = setting(
        None,
        "Column whose equal values mark texts that belong together, such as those of a customer: "
        "all are in the training data, or all are held out.",
    )
    time_column: str | None = setting(
        None,
        "Column of the times (2024-05-31, 2024-05-31T18:30:00 or numbers): the latest texts are "
        "held out.",
    )
    fold: str | None = setting(
        None,
        "Leave a fold of the training data out, such as 2/5, and measure on it as the test data.",
    )
    valid_fraction: float = setting(
        0.1,
        "Share of the training data that is held out when there is no validation set.",
        minimum=0.0,
        below=1.0,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.dataset is not None and self.train_file is not None:
            raise ConfigError("give either `dataset` or `train_file`, not both.")
        if self.train_file is None and (self.valid_file or self.test_file) and not self.dataset:
            raise ConfigError("`valid_file` and `test_file` need `train_file`; name it too.")
        for name in ("train_file", "valid_file", "test_file", "unlabelled_file"):
            check_file(name, getattr(self, name))
        if self.delimiter is not None:
            separator(self.delimiter)
        if self.group_column is not None and self.time_column is not None:
            raise ConfigError("give either `group_column` or `time_column`, not both.")
        if self.fold is not None:
            fold_of(self.fold)
            if self.test_file is not None:
                raise ConfigError("give either `fold` or `test_file`, not both.")
        if self.valid_fraction == 0.0:
            raise ConfigError("`valid_fraction` must be more than 0, got 0.0.")


def join_text(value: str) -> str:
    r"""Returns the characters that a setting writes with `\n` for a line end and `\t` for a tab.

    >>> join_text(r" \n") == " " + chr(10)
    True
    """
    return value.replace(r"\n", "\n").replace(r"\t", "\t")


def fold_of(value: str) -> tuple[int, int]:
    """Returns the number of a fold and the number of all folds.

    >>> fold_of("2/5")
    (2, 5)

    Raises:
        ConfigError: The value names no fold.
    """
    number, _, count = value.partition("/")
    if number.strip().isdecimal() and count.strip().isdecimal():
        fold, folds = int(number), int(count)
        if 1 <= fold <= folds and folds >= 2:
            return fold, folds
    raise ConfigError(
        f"`fold` must be a fold and the number of folds, at least 2, such as 2/5, got {value!r}."
    )


def separator(value: str) -> str:
    """Returns the separator character for a character or a word such as `tab`.

    Raises:
        ConfigError: The value names no separator.
    """
    character = {"tab": "\t", r"\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}.get(
        value.lower(), value
    )
    if len(character) != 1 or character in '"\r\n':
        raise ConfigError(
            "`delimiter` must be one character other than a quote or a line end, or the word tab, "
            f"got {value!r}."
        )
    return character
