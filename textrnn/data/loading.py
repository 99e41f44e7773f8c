"""From the settings to the data: finds the source, reads its splits, makes the missing ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, Protocol

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.data import listed_names
from textrnn.data.bbc_news import BundledSource
from textrnn.data.corpus import Corpus, Split
from textrnn.data.duplicates import conflicting_labels, shared_texts, text_groups
from textrnn.data.hold_out import Partition, hold_out
from textrnn.data.label_checks import rare_labels
from textrnn.data.provenance import check_unchanged
from textrnn.data.rows import Record, collect
from textrnn.data.text_files import FileFormat, read_records, stem
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


def load_corpus(config: ClassifierRunConfig, *, seed: int) -> Corpus:
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
    shared = shared_texts(validation, train)
    if shared:
        notices.append(
            f"{shared} of {len(validation)} validation texts also stand in the training data: the "
            "validation figures flatter, and choose the epoch that has learned these by heart; "
            "take the texts out of one of the files."
        )
    if test is not None:
        shared = shared_texts(test, train, validation)
        if shared:
            notices.append(
                f"{shared} of {len(test)} test texts also stand in the training or validation "
                "data: the test figures flatter by them."
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
    """Reads one split, as `load_corpus` with the same seed makes it, and its notices.

    The training data is read only where the split is part of it.

    Args:
        config: The settings of the data.
        which: The split's name.
        seed: The run's seed.
        label_names: The run's labels; any other label is an error.
        trained_on: What a run learned from, if these are its data: see `check_unchanged`.

    Raises:
        DataError: There is no such split, it cannot be read, it holds an unknown label, or it is
            not what the run learned from.
        ConfigError: The settings do not fit the data set.
    """
    source, notices = _open_source(config), list[str]()
    split, drawn = None, False
    if which != "train":
        split = _read(source, which, config, notices=notices, known=label_names)
    if split is None and which == "test":
        raise DataError(f"{source.name}: expected test data, got none; give it with --test-file.")
    if split is None:
        train, validation, _ = _read_training(
            source, config, seed=seed, notices=notices, known=label_names
        )
        split = train if which == "train" else validation
        drawn = config.data.valid_file is None
    notices += check_unchanged(
        split, which, trained_on or {}, drawn=drawn, where=config.data.train_file or source.name
    )
    return split, (*source.notices, *notices)


def _open_source(config: ClassifierRunConfig) -> Source:
    if config.data.train_file is not None:
        return FileSource(config.data.train_file)
    if config.data.dataset in (None, "bbc_news"):
        return BundledSource()
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
        records = source.read(which)
    else:
        records = read_records(path, FileFormat.of(config), notices=notices)
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
    config: ClassifierRunConfig,
    *,
    seed: int,
    notices: list[str],
    known: Sequence[str] | None = None,
) -> tuple[Split, Split, tuple[str, ...]]:
    where = config.data.train_file or source.name
    train = _read(source, "train", config, notices=notices, known=known)
    if train is None:
        raise DataError(f"{where}: expected a labelled split `train`, got none; use another.")
    counts = Counter(label for labels in train.labels for label in labels)
    _check_learnable(train, counts, config, where)
    given = listed_names(config.task.label_columns or config.task.label_names)
    order = source.label_order or given or sorted(counts)
    label_names = tuple(name for name in order if name in counts)
    if len(label_names) < len(order):
        never = [name for name in order if name not in counts]
        notices.append(
            f"{where}: no text has the {_labels(len(never))} {', '.join(never[:10])}; left out."
        )
    notices += conflicting_labels(train, where=where)
    validation = _read(source, "validation", config, notices=notices, known=label_names)
    if validation is not None:
        return train, validation, label_names
    try:
        parts = hold_out(
            train.labels,
            fraction=config.data.valid_fraction,
            seed=seed,
            stratify=not config.task.multi_label,
            groups=text_groups(train.texts),
        )
    except DataError as error:
        raise DataError(f"{where}: {error}") from None
    if config.task.multi_label:
        notices.append(_labels_a_text(train, where))
    else:
        notices += _stratification(counts, parts, where=where)
    return train.take(parts.kept), train.take(parts.held), label_names


def _check_learnable(
    train: Split, counts: Counter[str], config: ClassifierRunConfig, where: str
) -> None:
    """Raises DataError if the texts do not differ in their labels."""
    if not config.task.multi_label and len(counts) < 2:
        raise DataError(
            f"{where}: expected texts of at least 2 labels in the training data, got "
            f"{', '.join(counts) or 'none'}; check --label-column."
        )
    if config.task.multi_label and not any(count < len(train) for count in counts.values()):
        raise DataError(
            f"{where}: expected texts with and texts without a label in the training data, got "
            f"{', '.join(counts) or 'no label'} {'on every text' if counts else 'at all'}; check "
            "--label-column."
        )


def _stratification(counts: Counter[str], parts: Partition, *, where: str) -> list[str]:
    """A sentence on the labels that the validation data cannot measure, or none."""
    rare = sum(count == 1 for count in counts.values())
    told = []
    if rare:
        told.append(
            f"{where}: no validation row for {rare} {_labels(rare)} of 1 row: "
            f"{rare_labels(counts)}; correct it if it is a misspelling, or add rows."
        )
    if not parts.stratified:
        told.append(
            f"{where}: {len(parts.held)} validation rows drawn without regard to the labels, being "
            f"too few for {len(counts) - rare} labels; a larger --valid-fraction has rows of each."
        )
    return told


def _labels_a_text(train: Split, where: str) -> str:
    """A sentence on how many labels the texts have."""
    counts = Counter(map(len, train.labels))
    shares = ", ".join(f"{counts[n]:,} with {n}" for n in sorted(counts)[:6])
    more = sum(counts[n] for n in sorted(counts)[6:])
    return f"{where}: {sum(map(len, train.labels)) / len(train):.2f} labels a text: {shares}" + (
        f", {more:,} with more." if more else "."
    )


def _labels(count: int) -> str:
    return "label" if count == 1 else "labels"
