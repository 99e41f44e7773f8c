"""The results of a check as CSV files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from textrnn.analysis.data_check.check import DataCheck
from textrnn.errors import DataError
from textrnn.host.atomic import write_atomically

__all__ = ["write_tables"]


def write_tables(check: DataCheck, folder: Path) -> list[Path]:
    """Writes the results as CSV files and returns their paths.

    `findings.csv`, `classes.csv`, `repeats.csv` (each text that repeats an earlier one), and
    `label_errors.csv`, if labels were ranked: the most suspicious first.

    Args:
        check: The results.
        folder: The folder, which is made if it is missing.

    Raises:
        DataError: The folder cannot be written to.
    """
    names = [split.name for split in check.splits]
    tables: dict[str, Iterable[Sequence[object]]] = {
        "findings.csv": _findings(check),
        "classes.csv": [
            ("label", *names),
            *((label, *(counts[n] for n in names)) for label, counts in check.classes.items()),
        ],
        "repeats.csv": _repeats(check),
    }
    if check.label_errors is not None:
        tables["label_errors.csv"] = _label_errors(check)
    paths = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, rows in tables.items():
            text = io.StringIO(newline="")
            csv.writer(text, lineterminator="\n").writerows(rows)
            write_atomically(folder / name, text.getvalue())
            paths.append(folder / name)
    except OSError as error:
        raise DataError(
            f"{folder}: cannot write the tables: {error.strerror}; name another folder."
        ) from None
    return paths


def _findings(check: DataCheck) -> Iterator[Sequence[object]]:
    yield "severity", "kind", "split", "message", "advice", "count", "rows"
    for found in check.findings:
        rows = " ".join(map(str, found.rows))
        yield (
            *(found.severity, found.kind, found.split, found.message, found.advice),
            *(found.count, rows),
        )


def _repeats(check: DataCheck) -> Iterator[Sequence[object]]:
    yield "kind", "split", "row", "of_split", "of_row", "same_labels", "origin", "text"
    for repeat in check.repeats:
        split, of_split = repeat.split, repeat.of_split
        yield (
            *(repeat.kind, split.name, repeat.row),
            *(of_split.name, of_split.rows[repeat.of_place], repeat.same_labels),
            *(split.origins[repeat.place], split.texts[repeat.place]),
        )


def _label_errors(check: DataCheck) -> Iterator[Sequence[object]]:
    rows = [] if check.label_errors is None else list(check.label_errors.rows())
    for place, row in enumerate(rows):
        if not place:
            yield tuple(row)
        yield tuple(row.values())
