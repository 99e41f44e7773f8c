"""Checks that the labels of a data set are what the user believes them to be.

A single row looks right even if the whole column is wrong: numbers of a scale, combinations of
labels, vectors of 0 and 1. Labels that would train a useless model silently are an error, which
names the option that reads the column as it was meant; with `check_labels` off, the labels are
taken as they are. Labels that may be intended give a notice.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data.column_store import LabelColumn
from textrnn.errors import DataError
from textrnn.messages.wording import counted, listed

__all__ = ["check_labels"]

_SEPARATORS = (",", ";", "|", "\t", "/", " ")
_NEVER_IN_NAMES = (";", "|", "\t")
"""Characters that separate labels and do not occur within one."""

_VECTOR = re.compile(r"[01](?:[\s,;|]*[01])+")
_DECIMAL = re.compile(r"[+-]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?")
_DATE = re.compile(r"\d{4}([-./])\d\d?\1\d\d?([ T].*)?|\d\d?([-./])\d\d?\3\d{4}( .*)?")
_MANY_FRACTIONS = 10
"""Up to this many different numbers with fractions may be the grades of a rating."""
_MANY_NUMBERS = 50
"""More different numbers with fractions than this are a scale, not classes."""
_FEW_ROWS = 20
"""The number of rows up to which data with one row per label is taken for a small example."""
_LOOKS_MISSING = {"none", "null", "na", "n/a", "#n/a", "-", "?", "undefined"}
_LOOKALIKES = {"LATIN", "CYRILLIC", "GREEK"}
_MOST_SHOWN = 5


def check_labels(
    labels: Sequence[tuple[str, ...]],
    cells: Mapping[str, int],
    *,
    config: ClassifierRunConfig,
    notices: list[str],
    where: str,
) -> None:
    """Checks the labels of training data.

    Args:
        labels: The labels of each row, as they were read.
        cells: The number of rows with each label cell, as it is written.
        config: Says how labels are written.
        notices: Receives a sentence for each thing that may be a mistake.
        where: The name of the source, for messages.

    Raises:
        DataError: The labels are not classes.
    """
    counts = LabelColumn.of(labels).name_counts()
    if config.task.check_labels:
        if not (config.task.label_names or config.task.label_columns):
            _refuse_vectors(cells, config, where)
            if config.task.multi_label:
                _refuse_other_separator(cells, config, where)
            else:
                _refuse_combinations(counts, where)
        _refuse_scale(counts, len(labels), where)
    notices += (f"{where}: {warning}" for warning in _suspicious_labels(counts))


def _suspicious_labels(counts: Mapping[str, int]) -> Iterator[str]:
    """Yields a sentence for each property of the labels that may be a mistake."""
    by_case: dict[str, list[str]] = defaultdict(list)
    for name in counts:
        by_case[unicodedata.normalize("NFKC", name).casefold()].append(name)
    alike = [
        " and ".join(_with_rows(name, counts) for name in names)
        for names in by_case.values()
        if len(names) > 1
    ]
    if alike:
        yield (
            "labels that differ only in case or width are different classes: "
            f"{listed(alike, _MOST_SHOWN)}."
        )
    mixed = [f"{name!r} ({name!a})" for name in counts if _mixes_scripts(name)]
    if mixed:
        yield (
            "labels with letters of two scripts, which may only look like another label: "
            f"{listed(mixed, _MOST_SHOWN)}; correct them if they are misspelt."
        )
    most = _MANY_FRACTIONS if any("." in name for name in counts) else _MANY_NUMBERS
    if len(counts) > most and all(map(_DECIMAL.fullmatch, counts)):
        yield (
            f"{len(counts):,} different numbers taken as classes, without an order; write "
            "ranges as labels (low, high) if they measure something."
        )
    missing = [_with_rows(name, counts) for name in counts if name.casefold() in _LOOKS_MISSING]
    if missing:
        yield (
            f"taken as classes: {listed(missing, _MOST_SHOWN)}; leave these cells empty if they "
            "stand for missing labels."
        )


def _with_rows(name: str, counts: Mapping[str, int]) -> str:
    return f"{name!r} ({counted(counts[name], 'row')})"


def _mixes_scripts(name: str) -> bool:
    """Returns whether a word of a label has letters of two scripts whose letters look alike."""
    return any(
        len({unicodedata.name(c, "").split(" ")[0] for c in word} & _LOOKALIKES) > 1
        for word in name.split()
    )


def _refuse_vectors(cells: Mapping[str, int], config: ClassifierRunConfig, where: str) -> None:
    """Raises DataError if the cells are vectors of 0 and 1, whose positions are the labels."""
    filled = [cell.strip(" []()") for cell in cells if cell.strip()]
    lengths = {len(re.sub(r"\D", "", cell)) for cell in filled}
    vectors = bool(filled) and len(lengths) == 1 and all(map(_VECTOR.fullmatch, filled))
    # In a list of label ids no id comes twice, and none has leading zeros.
    if not vectors or (lengths == {2} and not any(re.search(r"\D", cell) for cell in filled)):
        return
    setting = "" if config.task.multi_label else "`multi_label=True` and "
    raise DataError(
        f"{where}: expected label names, got vectors of 0 and 1 such as "
        f"{next(iter(cells))!r}; name their {lengths.pop()} labels in order by {setting}"
        "`label_names='a,b,c'`, or set `check_labels=False`."
    )


def _refuse_other_separator(
    cells: Mapping[str, int], config: ClassifierRunConfig, where: str
) -> None:
    """Raises DataError if the labels of a text are separated by another separator."""
    if any(config.task.label_separator in cell for cell in cells):
        return
    for separator in _SEPARATORS:
        if separator == config.task.label_separator:
            continue
        certain = separator in _NEVER_IN_NAMES and any(separator in cell.strip() for cell in cells)
        if certain or _are_combinations(cells, separator):
            raise DataError(
                f"{where}: expected {config.task.label_separator!r} between the labels of a text, "
                f"got it nowhere, but {separator!r} in {_example(cells, separator)!r} and others; "
                f"set `label_separator={separator!r}`, or `check_labels=False` if these are names."
            )


def _refuse_combinations(counts: Mapping[str, int], where: str) -> None:
    """Raises DataError if the classes are combinations of labels."""
    for separator in _SEPARATORS[:3]:
        if _are_combinations(counts, separator):
            raise DataError(
                f"{where}: expected one label per text, got combinations such as "
                f"{_example(counts, separator)!r}, whose parts are in other labels too; set "
                f"`multi_label=True` and `label_separator={separator!r}`, or `check_labels=False` "
                "if each is one class."
            )


def _are_combinations(cells: Iterable[str], separator: str) -> bool:
    """Returns whether parts of cells recur in other cells, so that each part is a label by itself.

    Either one cell holds the separator and each of its parts is in another cell too ("a", "b" and
    "a,b"), or several cells hold it and at least half of their parts recur.
    """
    combined = [cell for cell in cells if separator in cell.strip()]
    if not combined:
        return False
    cells_with: Counter[str] = Counter()
    for cell in cells:
        cells_with.update({part.strip() for part in cell.split(separator)} - {""})
    parts = {part.strip() for cell in combined for part in cell.split(separator)} - {""}
    if len(combined) == 1:
        return len(parts) > 1 and all(cells_with[part] > 1 for part in parts)
    recurring = sum(cells_with[part] > 1 for part in parts)
    return 1 < len(parts) <= len(combined) + 1 and recurring >= len(parts) / 2


def _example(cells: Iterable[str], separator: str) -> str:
    return next(cell for cell in cells if separator in cell.strip())


def _refuse_scale(counts: Mapping[str, int], rows: int, where: str) -> None:
    """Raises DataError if the labels are measurements, ids or texts instead of classes."""
    numbers = [name for name in counts if _DECIMAL.fullmatch(name)]
    fractions = any(re.search(r"[.eE]", name) for name in numbers)
    if fractions and len(numbers) == len(counts) > _MANY_NUMBERS:
        raise DataError(
            f"{where}: expected classes as labels, got {len(counts):,} different numbers with "
            f"fractions, such as {listed(numbers, _MOST_SHOWN)}, in {rows:,} rows; textrnn sorts "
            "texts into classes: write ranges as labels (low, high), name another `label_column`, "
            "or set `check_labels=False`."
        )
    if len(counts) > 1 and all(map(_DATE.fullmatch, counts)):
        raise DataError(
            f"{where}: expected classes as labels, got {len(counts):,} different dates, such as "
            f"{listed(list(counts), _MOST_SHOWN)}; name the column of the classes by "
            "`label_column`, or set `check_labels=False`."
        )
    single = sum(count == 1 for count in counts.values())
    if rows > _FEW_ROWS and single > rows / 2:
        examples = listed([f"{name[:30]!r}" for name in counts], _MOST_SHOWN)
        raise DataError(
            f"{where}: expected classes that several texts share, got {len(counts):,} different "
            f"labels in {rows:,} rows, such as {examples}; name the column of the classes by "
            "`label_column`, or set `check_labels=False`."
        )
