"""The rows of one split, with their numbers in the file, and the rows that cannot be used."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from textrnn.analysis.data_check.findings import Finding
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data import FileFormat, Split, load_corpus
from textrnn.data.formats import BINARY
from textrnn.data.label_checks import check_labels
from textrnn.data.label_spelling import merge_spellings
from textrnn.data.labels import LabelReader
from textrnn.data.opening import marked_encoding
from textrnn.data.paths import input_files, kind
from textrnn.data.rows import Row, RowError, check_text
from textrnn.data.text_files import read_rows
from textrnn.errors import DataError
from textrnn.messages.wording import counted

__all__ = ["CheckedSplit", "SplitName", "read_splits"]

SplitName = Literal["train", "validation", "test"]

_FILES: dict[SplitName, str] = {
    "train": "train_file",
    "validation": "valid_file",
    "test": "test_file",
}


@dataclass(frozen=True)
class CheckedSplit:
    """The usable rows of a split, and what was found while they were read.

    >>> split = CheckedSplit.of(Split(["a film", "dull"], [("pos",), ("neg",)]), name="train")
    >>> split.rows
    [1, 2]

    Attributes:
        name: The split.
        texts: The texts.
        labels: The labels of each text.
        rows: The number of each text's row in the file; the first row after the header is row 1.
        origins: Where each row is, such as the path and line of a file.
        findings: What was found while the rows were read.
        encoding: The encoding of the files, or several with commas between them; "" if they are not
            texts.
    """

    name: SplitName
    texts: Sequence[str]
    labels: Sequence[tuple[str, ...]]
    rows: Sequence[int]
    origins: Sequence[str]
    findings: tuple[Finding, ...] = ()
    encoding: str = ""

    def __len__(self) -> int:
        return len(self.texts)

    @classmethod
    def of(cls, split: Split, *, name: SplitName) -> CheckedSplit:
        """Returns texts in memory, whose rows are numbered in their order."""
        rows = list(range(1, len(split) + 1))
        origins = [f"{name} {row}" for row in rows]
        return cls(name, split.texts, split.labels, rows, origins)

    def numbers(self, places: Iterable[int]) -> list[int]:
        """Returns the row numbers of the texts at these places."""
        return [self.rows[place] for place in places]


def read_splits(config: ClassifierRunConfig) -> list[CheckedSplit]:
    """Reads the splits that the settings name, the training data first.

    A row that cannot be used becomes a finding, also if `skip_bad_rows` is off. Of a data set that
    is not in files, the rows are numbered as they come.

    Args:
        config: The settings of the data.

    Raises:
        DataError: A file cannot be read, or has no row that can be used.
        ConfigError: The settings do not fit the data.
    """
    if config.data.train_file is None:
        return _read_data_set(config)
    splits: list[CheckedSplit] = []
    for name, setting in _FILES.items():
        path = getattr(config.data, setting)
        if path is not None:
            known = {label for labels in splits[0].labels for label in labels} if splits else None
            splits.append(_FileReader(name, path, config=config, known=known).read())
    return splits


def _read_data_set(config: ClassifierRunConfig) -> list[CheckedSplit]:
    corpus = load_corpus(config, seed=config.runtime.seed)
    notices = tuple(Finding("reading", "info", "", notice) for notice in corpus.notices)
    splits: dict[SplitName, Split | None] = {
        "train": corpus.train,
        "validation": corpus.validation,
        "test": corpus.test,
    }
    read = [CheckedSplit.of(split, name=name) for name, split in splits.items() if split]
    first = read[0]
    columns = (first.name, first.texts, first.labels, first.rows, first.origins)
    return [CheckedSplit(*columns, findings=notices), *read[1:]]


def _encodings(value: str, encoding: str) -> str:
    """Returns the encodings of the files that a setting names, which have been read."""
    names = {
        marked_encoding(path) or encoding
        for path in input_files(value)
        if not os.path.isdir(path) and kind(path) not in BINARY
    }
    return ", ".join(sorted(names))


@dataclass
class _FileReader:
    """Reads one file row by row, and counts the rows that cannot be used.

    Attributes:
        name: The split.
        path: The file or folder.
        config: Says how texts and labels are written.
        known: The labels allowed; None allows any.
    """

    name: SplitName
    path: str
    config: ClassifierRunConfig
    known: set[str] | None
    bad: list[tuple[int, str]] = field(default_factory=list)
    blank: list[int] = field(default_factory=list)
    cells: Counter[str] = field(default_factory=Counter)

    def read(self) -> CheckedSplit:
        known = None if self.known is None else dict.fromkeys(sorted(self.known))
        reader, notices = LabelReader(self.config, known), list[str]()
        texts: list[str] = []
        labels: list[tuple[str, ...]] = []
        rows: list[int] = []
        origins: list[str] = []
        read = read_rows(self.path, FileFormat.of(self.config), notices=notices)
        for number, row, text, names in self._usable(read, reader):
            if not text.strip():
                self.blank.append(number)
                if self.name == "train":
                    continue
            texts.append(text)
            labels.append(names)
            rows.append(number)
            origins.append(row.origin)
        if not texts:
            reason = "check the file"
            if self.bad:
                rows_left_out = counted(len(self.bad), "row")
                reason = f"{rows_left_out} cannot be used (the first: {self.bad[0][1]})"
            raise DataError(f"{self.path}: expected texts with labels, got none; {reason}.")
        findings = [*self._left_out()]
        checked: Sequence[tuple[str, ...]] = labels
        if known is None:
            checked, label_findings = self._checked_labels(labels, reader.spellings, notices)
            findings += label_findings
        findings += (Finding("reading", "info", self.name, notice) for notice in notices)
        encoding = _encodings(self.path, self.config.data.encoding)
        return CheckedSplit(self.name, texts, checked, rows, origins, tuple(findings), encoding)

    def _usable(
        self, rows: Iterable[Row], reader: LabelReader
    ) -> Iterator[tuple[int, Row, str, tuple[str, ...]]]:
        """Yields the number, the row, the text and the labels of each row that can be used."""
        for number, row in enumerate(rows, start=1):
            try:
                text = check_text(row, encoding=self.config.data.encoding)
                labels = reader.read(row.label, origin=row.origin)
            except RowError as problem:
                self.bad.append((number, f"{row.origin}: {problem}"))
                continue
            cell = row.label
            self.cells[cell if isinstance(cell, str) else json.dumps(cell, default=repr)] += 1
            yield number, row, text, labels

    def _left_out(self) -> Iterator[Finding]:
        if self.bad:
            skipped = self.config.data.skip_bad_rows
            yield Finding(
                "bad_rows",
                "warning" if skipped else "error",
                self.name,
                f"{counted(len(self.bad), 'row')} cannot be used (the first: {self.bad[0][1]}).",
                "Correct the rows; a training stops at them, or leaves them out with "
                "`skip_bad_rows=True`.",
                rows=[number for number, _ in self.bad],
                count=len(self.bad),
            )
        if self.blank:
            verb = "is" if len(self.blank) == 1 else "are"
            yield Finding(
                "blank_texts",
                "warning",
                self.name,
                f"{counted(len(self.blank), 'text')} {verb} blank.",
                "Fill them in or delete the rows; a training leaves blank training texts out.",
                rows=self.blank,
                count=len(self.blank),
            )

    def _checked_labels(
        self,
        labels: Sequence[tuple[str, ...]],
        spellings: Mapping[str, set[str]],
        notices: list[str],
    ) -> tuple[Sequence[tuple[str, ...]], list[Finding]]:
        """Returns the labels with one name per label, and what looks wrong with them."""
        found: list[str] = []
        labels = merge_spellings(labels, spellings, notices=found, where=self.path)
        refused = ""
        try:
            check_labels(labels, self.cells, config=self.config, notices=found, where=self.path)
        except DataError as error:
            refused = str(error)
        findings = [Finding("label_spelling", "warning", self.name, notice) for notice in found]
        if refused:
            findings.append(Finding("labels_refused", "error", self.name, refused))
        return labels, findings
