"""Loads the data of a run: opens the source, reads its splits, creates the missing ones."""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.data import IN_MEMORY
from textrnn.config.section import listed_names
from textrnn.data.bbc_news import BbcNewsSource
from textrnn.data.column_store import LabelColumn
from textrnn.data.columns import Column
from textrnn.data.continued_labels import labels_without_texts, with_earlier_names
from textrnn.data.corpus import Corpus, Split
from textrnn.data.duplicates import conflicting_labels, shared_texts, text_groups
from textrnn.data.file_format import FileFormat
from textrnn.data.folds import unknown_labels, without_fold
from textrnn.data.hold_out import Partition, hold_out
from textrnn.data.in_memory import NoLongerInMemory
from textrnn.data.label_spelling import rare_labels
from textrnn.data.paths import input_files, own_splits, stem
from textrnn.data.provenance import check_unchanged
from textrnn.data.rows import Row, SplitBuilder
from textrnn.data.text_files import read_rows
from textrnn.data.tfds import TfdsSource
from textrnn.errors import DataError
from textrnn.messages.wording import counted, listed

__all__ = ["Source", "load_corpus", "load_split", "split_file"]


class Source(Protocol):
    """Something that splits are read from.

    Attributes:
        name: The name of the data set.
        label_order: The labels in the order of the data set; None if it has no order.
        notices: One sentence for everything unusual in the splits that were read so far.
    """

    name: str
    label_order: Sequence[str] | None
    notices: list[str]

    def read(self, which: str) -> Iterable[Row] | None:
        """Returns the rows of the split `train`, `validation` or `test`; None if it is missing."""


class FileSource:
    """The user's own files. Only a folder that holds the splits of a data set has splits itself.

    Args:
        config: The settings of the data; `train_file` is set.
    """

    label_order: Sequence[str] | None = None

    def __init__(self, config: ClassifierRunConfig) -> None:
        self._folder = own_splits(str(config.data.train_file))
        self._form = FileFormat.of(config)
        self.name = stem(str(config.data.train_file))
        self.notices: list[str] = []

    def read(self, which: str) -> Iterable[Row] | None:
        """Returns the rows of a split of the folder; None if there is no such split.

        The files that the settings name are read for any source, and in its place.
        """
        if self._folder is None or not input_files(self._folder, split=which):
            return None
        return read_rows(self._folder, self._form, notices=self.notices, split=which)


def load_corpus(
    config: ClassifierRunConfig,
    *,
    seed: int,
    source: Source | None = None,
    earlier_labels: Sequence[str] = (),
) -> Corpus:
    """Reads all data of a run.

    Without validation data, a random share of the training data is held out. `valid_file` and
    `test_file` replace the splits of a data set.

    Args:
        config: The settings of the data.
        seed: The seed of the random choice.
        source: The source of the data; None: the one that the settings name.
        earlier_labels: The labels of the classifier that the run starts from, in the order of its
            logits. Unless `keep_labels` is off, they come first, and remain without texts.

    Raises:
        DataError: The data cannot be read or learned from.
        ConfigError: The settings do not fit the data set.
    """
    source, notices = source or _open_source(config), list[str]()
    read = _read_training(source, config, seed=seed, notices=notices, earlier_labels=earlier_labels)
    train, validation, test, label_names = read
    if test is None:
        test = _read(source, "test", config, notices=notices, known=label_names)
    notices += labels_without_texts(earlier_labels, label_names, (train, validation, test))
    shared = shared_texts(validation, train)
    if shared:
        notices.append(
            f"{shared} of {len(validation)} validation texts are also in the training data: the "
            "validation figures are too good, and they choose the epoch that has memorised these "
            "texts; take the texts out of one of the files."
        )
    if test is not None:
        shared = shared_texts(test, train, validation)
        if shared:
            notices.append(
                f"{shared} of {len(test)} test texts are also in the training or validation data: "
                "the test figures are too good because of them."
            )
    return Corpus(source.name, train, validation, test, label_names, (*source.notices, *notices))


def load_split(
    config: ClassifierRunConfig,
    which: Literal["train", "validation", "test"],
    *,
    seed: int,
    label_names: Sequence[str],
    trained_on: Mapping[str, Any] | None = None,
) -> tuple[Split, tuple[str, ...]]:
    """Reads one split, which is the same as in `load_corpus` with the same seed.

    The training data is read only if the split is part of it.

    Args:
        config: The settings of the data.
        which: The name of the split.
        seed: The seed of the run.
        label_names: The labels of the run; any other label is an error.
        trained_on: The fingerprints of the data that the run was trained on (see
            `check_unchanged`); None if this is other data.

    Returns:
        The split, and one sentence for everything unusual in it.

    Raises:
        DataError: The split is missing, cannot be read, holds an unknown label, or has changed
            since the run was trained.
        ConfigError: The settings do not fit the data set.
    """
    source, notices = _open_source(config), list[str]()
    split, drawn = None, False
    of_fold = which == "test" and config.data.fold is not None
    if which != "train" and not of_fold:
        split = _read(source, which, config, notices=notices, known=label_names)
    if split is None and which == "test" and not of_fold:
        raise DataError(f"{source.name}: expected test data, got none; name it by `test_file`.")
    if split is None:
        read = _read_training(source, config, seed=seed, notices=notices, known=label_names)
        split = {"train": read.train, "validation": read.validation}.get(which, read.fold)
        drawn = of_fold or config.data.valid_file is None
    if split is None:
        raise DataError(f"{source.name}: expected a fold, got none.")
    notices += check_unchanged(
        split,
        which,
        known=trained_on or {},
        drawn=drawn,
        where=config.data.train_file or source.name,
    )
    return split, (*source.notices, *notices)


def split_file(
    config: ClassifierRunConfig, which: Literal["train", "validation", "test"]
) -> tuple[str, str] | None:
    """Returns the file, or the files, that hold the rows of a split, and the split to read of it.

    Args:
        config: The settings of the data.
        which: The name of the split.

    Returns:
        None if the split is none of a file: it is of a data set, or of a folder per class.
    """
    data = config.data
    files = {"train": data.train_file, "validation": data.valid_file, "test": data.test_file}
    path, split = files[which], str(which)
    if path is None and data.train_file is not None:
        own = own_splits(data.train_file)
        path = data.train_file
        if which == "validation" and (own is None or not input_files(own, split=which)):
            split = "train"
    if path is None or any(os.path.isdir(file) for file in input_files(path, split=split)):
        return None
    return path, split


def _open_source(config: ClassifierRunConfig) -> Source:
    if config.data.train_file is not None:
        return FileSource(config)
    if config.data.dataset in (None, "bbc_news"):
        return BbcNewsSource()
    if config.data.dataset == IN_MEMORY:
        return NoLongerInMemory()
    return TfdsSource(config)


def _read(
    source: Source,
    which: str,
    config: ClassifierRunConfig,
    *,
    notices: list[str],
    known: Sequence[str] | None = None,
) -> Split | None:
    files = {
        "train": config.data.train_file,
        "validation": config.data.valid_file,
        "test": config.data.test_file,
    }
    path = files[which]
    if path is None:
        rows = source.read(which)
    else:
        rows = read_rows(path, _form(config, which), notices=notices, split=which)
    if rows is None:
        return None
    return SplitBuilder(
        config,
        where=f"{source.name} {which}" if path is None else path,
        notices=notices,
        known=None if known is None else dict.fromkeys(known),
        keep_blank=which != "train",
        other_columns=bool(_other_columns(config, which)),
    ).build(rows)


def _form(config: ClassifierRunConfig, which: str) -> FileFormat:
    """Returns the format of the file of a split."""
    columns = _other_columns(config, which)
    return dataclasses.replace(FileFormat.of(config), other_columns=columns)


def _other_columns(config: ClassifierRunConfig, which: str) -> tuple[Column, ...]:
    """Returns the columns by which texts are held out; only training data needs them."""
    if which != "train":
        return ()
    columns = {"group_column": config.data.group_column, "time_column": config.data.time_column}
    return tuple(Column(name, setting) for setting, name in columns.items() if name is not None)


class _Training(NamedTuple):
    """The training data of a run and what was held out of it; see `load_corpus`."""

    train: Split
    validation: Split
    fold: Split | None
    label_names: tuple[str, ...]


def _read_training(
    source: Source,
    config: ClassifierRunConfig,
    *,
    seed: int,
    notices: list[str],
    known: Sequence[str] | None = None,
    earlier_labels: Sequence[str] = (),
) -> _Training:
    where = config.data.train_file or source.name
    train = _read(source, "train", config, notices=notices, known=known)
    if train is None:
        raise DataError(
            f"{where}: expected a labelled split `train`, got none; use another data set."
        )
    train = dataclasses.replace(train, labels=with_earlier_names(train.labels, earlier_labels))
    counts = LabelColumn.of(train.labels).name_counts()
    _check_learnable(train, counts, config, where)
    kept = tuple(earlier_labels) if config.start.keep_labels else ()
    label_names = _ordered_labels(source, counts, config, notices=notices, kept=kept)
    if known is not None:
        label_names = tuple(known)
    notices += conflicting_labels(train, where=where)
    fold = None
    if config.data.fold is not None:
        train, fold = without_fold(train, config, seed=seed, where=where)
    validation = _read(source, "validation", config, notices=notices, known=label_names)
    if validation is None:
        train, validation = _hold_out_validation(
            train, config, seed=seed, notices=notices, where=where
        )
    occurring = [name for name in label_names if name in counts]
    notices += unknown_labels(train, occurring, where=where)
    return _Training(train, validation, fold, label_names)


def _ordered_labels(
    source: Source,
    counts: Counter[str],
    config: ClassifierRunConfig,
    *,
    notices: list[str],
    kept: tuple[str, ...],
) -> tuple[str, ...]:
    """Returns the kept labels, then those that occur, in the order of the data set or settings."""
    stated = listed_names(config.task.label_columns or config.task.label_names)
    order = source.label_order or stated or sorted(counts)
    unused = [name for name in order if name not in counts and name not in kept]
    if unused:
        noun = "label" if len(unused) == 1 else "labels"
        notices.append(
            f"{config.data.train_file or source.name}: no text has the {noun} "
            f"{listed(unused, 10)}; left out."
        )
    return tuple(dict.fromkeys((*kept, *(name for name in order if name in counts))))


def _hold_out_validation(
    train: Split,
    config: ClassifierRunConfig,
    *,
    seed: int,
    notices: list[str],
    where: str,
) -> tuple[Split, Split]:
    """Splits the training data into training and validation data."""
    try:
        parts = hold_out(
            train.labels,
            fraction=config.data.valid_fraction,
            seed=seed,
            stratify=not config.task.multi_label,
            groups=text_groups(train) if train.groups is None else train.groups,
            times=train.times,
        )
    except DataError as error:
        raise DataError(f"{where}: {error}") from None
    if config.task.multi_label:
        notices.append(_labels_per_text(train, where))
    elif train.times is None:
        counts = LabelColumn.of(train.labels).name_counts()
        notices += _unmeasured_labels(counts, parts, where=where)
    return train.take(parts.remaining), train.take(parts.held_out)


def _check_learnable(
    train: Split, counts: Counter[str], config: ClassifierRunConfig, where: str
) -> None:
    """Raises DataError if all texts have the same labels."""
    if not config.task.multi_label and len(counts) < 2:
        raise DataError(
            f"{where}: expected texts of at least 2 labels in the training data, got "
            f"{', '.join(counts) or 'none'}; check `label_column`."
        )
    if config.task.multi_label and not any(count < len(train) for count in counts.values()):
        raise DataError(
            f"{where}: expected texts with and texts without a label in the training data, got "
            f"{', '.join(counts) or 'no label'} {'on every text' if counts else 'at all'}; check "
            "`label_column`."
        )


def _unmeasured_labels(counts: Counter[str], parts: Partition, *, where: str) -> list[str]:
    """Returns sentences on the labels that the validation data may not contain."""
    rare = sum(count == 1 for count in counts.values())
    sentences = []
    if rare:
        sentences.append(
            f"{where}: no validation row for {counted(rare, 'label')} of 1 row: "
            f"{rare_labels(counts)}; correct the label if it is misspelt, or add rows."
        )
    if not parts.stratified:
        sentences.append(
            f"{where}: {counted(len(parts.held_out), 'validation row')} drawn without regard to "
            f"the labels, because they are too few for {len(counts) - rare} labels; a larger "
            "`valid_fraction` has rows of each."
        )
    return sentences


def _labels_per_text(train: Split, where: str) -> str:
    """Returns a sentence on the number of labels that the texts have."""
    counts = Counter(map(len, train.labels))
    shares = ", ".join(f"{counts[n]:,} with {n}" for n in sorted(counts)[:6])
    more = sum(counts[n] for n in sorted(counts)[6:])
    mean = sum(map(len, train.labels)) / len(train)
    return f"{where}: {mean:.2f} labels per text: {shares}" + (
        f", {more:,} with more." if more else "."
    )
