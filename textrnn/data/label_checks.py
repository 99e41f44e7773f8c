"""Whether the labels of a data set are what their user believes them to be.

One row alone looks right where the whole column does not: numbers of a scale, combinations of
labels, vectors of 0 and 1. What would train a useless model in silence is an error, which names
the option that reads the column as it was meant; `check_labels` off takes the labels as they are.
What may be meant is a notice.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data.labels import label_key
from textrnn.errors import DataError

__all__ = ["check_labels", "one_spelling", "rare_labels"]

_SEPARATORS = (",", ";", "|", "\t", "/", " ")
_NEVER_IN_NAMES = (";", "|", "\t")
"""What stands between labels rather than within one."""

_VECTOR = re.compile(r"[01](?:[\s,;|]*[01])+")
_DECIMAL = re.compile(r"[+-]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?")
_MANY_FRACTIONS = 10
"""Different numbers with fractions that may be the marks of a rating."""
_MANY_NUMBERS = 50
"""Different numbers beyond which fractions are a scale, not classes."""
_FEW_ROWS = 20
"""Rows up to which labels of one row each are a small example."""
_LOOKS_MISSING = {"none", "null", "na", "n/a", "#n/a", "-", "?", "undefined"}
_LOOKALIKES = {"LATIN", "CYRILLIC", "GREEK"}
_SHOWN = 5

Labels = Sequence[tuple[str, ...]]


def one_spelling(
    labels: Labels, spelt: Mapping[str, Collection[str]], notices: list[str], *, where: str
) -> list[tuple[str, ...]]:
    """The labels, those that differ in nothing a reader can see under one name.

    The name is the most frequent spelling; of numbers it is the whole number.

    Args:
        labels: Of each row.
        spelt: The spellings that were read as each name.
        notices: Receives a sentence if a label has several.
        where: What the rows come from, for messages.
    """
    counts = Counter(name for row in labels for name in row)
    spellings: dict[str, list[str]] = defaultdict(list)
    for name, _ in counts.most_common():
        spellings[label_key(name)].append(name)
    names: dict[str, str] = {}
    merged = []
    for key, found in spellings.items():
        name = key if key in found else found[0]
        names |= dict.fromkeys(found, name)
        written = sorted({text for each in found for text in spelt.get(each, [each])})
        if len(written) > 1:
            merged.append(" and ".join(map(ascii, written)))
    if not merged:
        return list(labels)
    notices.append(
        f"{where}: spellings of one label taken together: {_some(merged)}; write each label in one "
        "way."
    )
    return [tuple(dict.fromkeys(names[name] for name in row)) for row in labels]


def check_labels(
    labels: Labels,
    cells: Mapping[str, int],
    notices: list[str],
    *,
    config: ClassifierRunConfig,
    where: str,
) -> None:
    """Checks the labels of training data.

    Args:
        labels: Of each row, as they were read.
        cells: How many rows have each label cell, of those that are strings.
        notices: Receives a sentence for what may be a mistake.
        config: Says how labels are written.
        where: What the rows come from, for messages.

    Raises:
        DataError: The labels cannot have been meant.
    """
    counts = Counter(name for row in labels for name in row)
    if config.task.check_labels:
        plain = not (config.task.label_names or config.task.label_columns)
        if plain:
            _refuse_vectors(cells, config, where)
        if plain and config.task.multi_label:
            _refuse_other_separator(cells, config, where)
        elif plain:
            _refuse_combinations(counts, where)
        _refuse_scale(counts, len(labels), where)
    by_case: dict[str, list[str]] = defaultdict(list)
    for name in counts:
        by_case[unicodedata.normalize("NFKC", name).casefold()].append(name)
    alike = [
        " and ".join(f"{name!r} ({_rows(counts[name])})" for name in names)
        for names in by_case.values()
        if len(names) > 1
    ]
    if alike:
        notices.append(
            f"{where}: labels that differ in case or width alone are classes of their own: "
            f"{_some(alike)}."
        )
    mixed = [f"{name!r} ({name!a})" for name in counts if _mixes_scripts(name)]
    if mixed:
        notices.append(
            f"{where}: labels with letters of two scripts, which may only look like another label: "
            f"{_some(mixed)}; correct them if they are misspelt."
        )
    most = _MANY_FRACTIONS if any("." in name for name in counts) else _MANY_NUMBERS
    if len(counts) > most and all(map(_DECIMAL.fullmatch, counts)):
        notices.append(
            f"{where}: {len(counts):,} different numbers taken as classes, without an order; write "
            "ranges as labels (low, high) if they measure something."
        )
    missing = [name for name in counts if name.casefold() in _LOOKS_MISSING]
    if missing:
        notices.append(
            f"{where}: taken as classes: "
            + _some([f"{name!r} ({_rows(counts[name])})" for name in missing])
            + "; leave these cells empty if they stand for missing labels."
        )


def _mixes_scripts(name: str) -> bool:
    """Whether a word of a label has letters of two scripts whose letters look alike."""
    return any(
        len({unicodedata.name(c, "").split(" ")[0] for c in word} & _LOOKALIKES) > 1
        for word in name.split()
    )


def rare_labels(counts: Mapping[str, int]) -> str:
    """Names the labels of one row, with the label that each may be a misspelling of."""
    rare = [name for name, count in counts.items() if count == 1]
    frequent = {name.casefold(): name for name, count in counts.items() if count > 1}
    told = []
    for name in rare[:_SHOWN]:
        close = difflib.get_close_matches(name.casefold(), frequent, n=1, cutoff=0.75)
        other = frequent[close[0]] if close else ""
        told.append(f"{name!r} (like {other!r}, {_rows(counts[other])})" if close else f"{name!r}")
    return ", ".join(told) + (f" and {len(rare) - _SHOWN} more" if len(rare) > _SHOWN else "")


def _refuse_vectors(cells: Mapping[str, int], config: ClassifierRunConfig, where: str) -> None:
    """Raises DataError if the cells are vectors of 0 and 1, whose positions are the labels."""
    filled = [cell.strip(" []()") for cell in cells if cell.strip()]
    lengths = {len(re.sub(r"\D", "", cell)) for cell in filled}
    vectors = bool(filled) and len(lengths) == 1 and all(map(_VECTOR.fullmatch, filled))
    # Ids of labels do not come twice in a cell, nor with leading zeros.
    if not vectors or (lengths == {2} and not any(re.search(r"\D", cell) for cell in filled)):
        return
    several = "" if config.task.multi_label else "--multi-label "
    raise DataError(
        f"{where}: expected label names, got vectors of 0 and 1 such as "
        f"{next(iter(cells))!r}; name their {lengths.pop()} labels in order by {several}"
        "--label-names a,b,c, or pass --no-check-labels."
    )


def _refuse_other_separator(
    cells: Mapping[str, int], config: ClassifierRunConfig, where: str
) -> None:
    """Raises DataError if another separator than the one given stands between the labels."""
    if any(config.task.label_separator in cell for cell in cells):
        return
    for separator in _SEPARATORS:
        several = sum(separator in cell.strip() for cell in cells)
        sure = separator in _NEVER_IN_NAMES and several
        if separator != config.task.label_separator and (sure or _recombine(cells, separator)):
            raise DataError(
                f"{where}: expected {config.task.label_separator!r} between the labels of a text, got "
                f"it in no row, but {separator!r} in {_example(cells, separator)!r} and others; "
                f"pass --label-separator {separator!r}, or --no-check-labels if these are names."
            )


def _refuse_combinations(counts: Mapping[str, int], where: str) -> None:
    """Raises DataError if classes are combinations of labels."""
    for separator in _SEPARATORS[:3]:
        if _recombine(counts, separator):
            raise DataError(
                f"{where}: expected one label a text, got combinations such as "
                f"{_example(counts, separator)!r}, whose parts come in other labels too; pass "
                f"--multi-label --label-separator {separator!r}, or --no-check-labels if each is "
                "one class."
            )


def _recombine(cells: Iterable[str], separator: str) -> bool:
    """Whether the parts of cells come back in other cells, so that each is a label of its own.

    At least two cells hold the separator, and each part of them stands in another cell too.
    """
    several = [cell for cell in cells if separator in cell.strip()]
    if not several:
        return False
    homes: Counter[str] = Counter()
    for cell in cells:
        homes.update({part.strip() for part in cell.split(separator)} - {""})
    parts = {part.strip() for cell in several for part in cell.split(separator)} - {""}
    if len(several) == 1:  # "a", "b" and "a,b".
        return len(parts) > 1 and all(homes[part] > 1 for part in parts)
    shared = sum(homes[part] > 1 for part in parts)
    return 1 < len(parts) <= len(several) + 1 and shared >= len(parts) / 2


def _example(cells: Iterable[str], separator: str) -> str:
    return next(cell for cell in cells if separator in cell.strip())


def _refuse_scale(counts: Mapping[str, int], rows: int, where: str) -> None:
    """Raises DataError if the labels are measurements, ids or texts rather than classes."""
    numbers = [name for name in counts if _DECIMAL.fullmatch(name)]
    fractions = any(re.search(r"[.eE]", name) for name in numbers)
    if fractions and len(numbers) == len(counts) > _MANY_NUMBERS:
        raise DataError(
            f"{where}: expected classes as labels, got {len(counts):,} different numbers with "
            f"fractions, such as {_some(numbers)}, in {rows:,} rows; textrnn sorts texts into "
            "classes: write ranges as labels (low, high), name another --label-column, or pass "
            "--no-check-labels."
        )
    single = sum(count == 1 for count in counts.values())
    if rows > _FEW_ROWS and single > rows / 2:
        raise DataError(
            f"{where}: expected classes that several texts share, got {len(counts):,} different "
            f"labels in {rows:,} rows, such as {_some([f'{name[:30]!r}' for name in counts])}; "
            "name the column of the classes by --label-column, or pass --no-check-labels."
        )


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"
