"""From the settings to the data: finds the source, reads its splits, makes the missing ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, Protocol

from textrnn.config import DataConfig
from textrnn.data.bundled import BundledSource
from textrnn.data.corpus import Corpus, Split, normal_form
from textrnn.data.files import read_records, stem
from textrnn.data.records import Record, collect
from textrnn.data.splits import hold_out
from textrnn.data.tfds import TfdsSource
from textrnn.errors import DataError

__all__ = ["Source", "load_corpus", "load_split"]


class Source(Protocol):
    """Where splits come from.

    Attributes:
        name: The data set's name.
        label_order: The labels in the data set's own order, if it has one.
        notices: Grows while splits are read.
    """

    name: str
    label_order: Sequence[str] | None
    notices: list[str]

    def read(self, which: str) -> Iterable[Record] | None:
        """The rows of the split `train`, `validation` or `test`, or None without one."""


class FileSource:
    """The user's own training file; it has no splits but those that the settings name."""

    label_order: Sequence[str] | None = None

    def __init__(self, train_file: str) -> None:
        self.name = stem(train_file)
        self.notices: list[str] = []

    def read(self, which: str) -> Iterable[Record] | None:
        """None: the files that the settings name are read for any source."""
        return None


def load_corpus(config: DataConfig, *, seed: int) -> Corpus:
    """Reads all the data of a run.

    Without validation data, a seeded share of the training data is held out. `valid_file` and
    `test_file` take the place of a data set's own splits.

    Raises:
        DataError: The data cannot be read or learned from.
        ConfigError: The settings do not fit the data set.
    """
    source, notices = _open_source(config), list[str]()
    train, validation, label_names = _read_training(source, config, seed=seed, notices=notices)
    test = _read(source, "test", config, notices=notices, known=label_names)
    if test is not None:
        seen = {normal_form(text) for part in (train, validation) for text in part.texts}
        shared = sum(normal_form(text) in seen for text in test.texts)
        if shared:
            notices.append(
                f"{shared} of {len(test)} test texts also stand in the training or validation "
                "data; they were kept."
            )
    return Corpus(source.name, train, validation, test, label_names, (*source.notices, *notices))


def load_split(
    config: DataConfig,
    which: Literal["train", "validation", "test"],
    *,
    seed: int,
    label_names: Sequence[str],
) -> tuple[Split, tuple[str, ...]]:
    """Reads one split, as `load_corpus` with the same seed makes it, and its notices.

    The training data is read only where the split is part of it.

    Args:
        config: The settings of the data.
        which: The split's name.
        seed: The run's seed.
        label_names: The run's labels; any other label is an error.

    Raises:
        DataError: There is no such split, it cannot be read, or it holds an unknown label.
        ConfigError: The settings do not fit the data set.
    """
    source, notices = _open_source(config), list[str]()
    split = None
    if which != "train":
        split = _read(source, which, config, notices=notices, known=label_names)
    if split is None and which == "test":
        raise DataError(f"{source.name}: expected test data, got none; give it with --test-file.")
    if split is None:
        train, validation, _ = _read_training(
            source, config, seed=seed, notices=notices, known=label_names
        )
        split = train if which == "train" else validation
    return split, (*source.notices, *notices)


def _open_source(config: DataConfig) -> Source:
    if config.train_file is not None:
        return FileSource(config.train_file)
    if config.dataset in (None, "bbc_news"):
        return BundledSource()
    return TfdsSource(config)


def _read(
    source: Source,
    which: str,
    config: DataConfig,
    *,
    notices: list[str],
    known: Sequence[str] | None = None,
) -> Split | None:
    files = {"train": config.train_file, "validation": config.valid_file, "test": config.test_file}
    path = files[which]
    if path is None:
        records = source.read(which)
    else:
        records = read_records(
            path,
            text_column=config.text_column,
            label_column=config.label_column,
            encoding=config.encoding,
        )
    if records is None:
        return None
    return collect(
        records,
        config=config,
        where=f"{source.name} {which}" if path is None else path,
        notices=notices,
        known=None if known is None else dict.fromkeys(known),
        keep_blank=which != "train",
    )


def _read_training(
    source: Source,
    config: DataConfig,
    *,
    seed: int,
    notices: list[str],
    known: Sequence[str] | None = None,
) -> tuple[Split, Split, tuple[str, ...]]:
    where = config.train_file or source.name
    train = _read(source, "train", config, notices=notices, known=known)
    if train is None:
        raise DataError(f"{where}: expected a labelled split `train`, got none; use another.")
    found = {label for labels in train.labels for label in labels}
    if len(found) < 2:
        raise DataError(
            f"{where}: expected texts of at least 2 labels in the training data, got "
            f"{', '.join(found) or 'none'}; check --label-column."
        )
    label_names = tuple(x for x in source.label_order or sorted(found) if x in found)
    validation = _read(source, "validation", config, notices=notices, known=label_names)
    if validation is not None:
        return train, validation, label_names
    try:
        parts = hold_out(
            train.labels,
            fraction=config.valid_fraction,
            seed=seed,
            stratify=not config.multi_label,
        )
    except DataError as error:
        raise DataError(f"{where}: {error}") from None
    if not parts.stratified and not config.multi_label:
        notices.append(
            f"{where}: {len(parts.held)} validation rows drawn without regard to the labels, "
            "some labels having too few rows."
        )
    return train.take(parts.kept), train.take(parts.held), label_names
