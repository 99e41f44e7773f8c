"""Writes the texts that a run was measured on, with the answers and whether they are correct."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from textrnn.cli.answer_columns import free_names, renamed_notices, shortest
from textrnn.cli.answer_table import output_layout
from textrnn.cli.answers import label_separator
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data import FileFormat, Split
from textrnn.data.input_table import InputTable
from textrnn.data.loading import split_file
from textrnn.data.paths import kind
from textrnn.data.resumable_output import PART_ROWS, ResumableOutput
from textrnn.data.writers import WRITERS
from textrnn.data.writers.writer import Layout
from textrnn.messages.wording import counted
from textrnn.runtime.blocks import blocks

if TYPE_CHECKING:
    from textrnn.inference.classifier import Prediction, TrainedClassifier
    from textrnn.progress import Reporter

__all__ = ["EvaluationTable"]

_ADDED: dict[str, type] = {"label": str, "score": float, "correct": bool}
_WITHOUT_FILE = ("text", "label")
"""The columns of texts that come from no file."""


@dataclass(frozen=True)
class EvaluationTable:
    """Writes one row for each text of a split.

    If the split is of a file, a row has all columns of the file.

    Attributes:
        config: The settings of the data.
        which: The name of the split.
        output: The file that is written.
        reporter: Receives the notes.
    """

    config: ClassifierRunConfig
    which: Literal["train", "validation", "test"]
    output: Path
    reporter: Reporter

    def write(self, classifier: TrainedClassifier, split: Split, probabilities: np.ndarray) -> None:
        """Writes the table.

        Args:
            classifier: The classifier that was measured.
            split: The N texts.
            probabilities: `[N, C]`, its answers.

        Raises:
            DataError: The file of the texts cannot be read again, or the output cannot be written.
        """
        from textrnn.inference.classifier import Prediction

        space, separator = classifier.label_space, label_separator(classifier)
        predictions = (Prediction.of(scores, space) for scores in probabilities)
        layout, kept = self._kept(split, separator)
        added = (
            _added(prediction, labels, separator)
            for prediction, labels in zip(predictions, split.labels, strict=True)
        )
        rows = ([*cells, *more] for cells, more in zip(kept, added, strict=True))
        parts = ResumableOutput(self.output, WRITERS[kind(self.output)](layout), job={})
        try:
            for part in blocks(rows, PART_ROWS):
                parts.add(part)
            parts.finish()
        finally:
            parts.discard()
        for notice in renamed_notices(list(_ADDED), list(layout.added)):
            self.reporter.message(f"note: {notice}")
        self.reporter.message(f"{counted(len(split), 'row')} written to {self.output}")

    def _kept(self, split: Split, separator: str) -> tuple[Layout, Iterator[Sequence[object]]]:
        """Returns the columns of the table, and the cells of each text in those of the input."""
        source = split_file(self.config, self.which)
        if source is None or split.places is None:
            names = free_names(list(_ADDED), _WITHOUT_FILE)
            layout = Layout(_WITHOUT_FILE, dict(zip(names, _ADDED.values(), strict=True)))
            texts = zip(split.texts, split.labels, strict=True)
            return layout, ((text, separator.join(labels)) for text, labels in texts)
        path, which = source
        table = InputTable(path, FileFormat.of(self.config), labelled=True, split=which)
        layout = output_layout(table, _ADDED, output=self.output)
        return layout, _cells_at(table, split.places)


def _cells_at(table: InputTable, places: Iterable[int]) -> Iterator[Sequence[object]]:
    """Yields the cells of the rows at these places, which are ascending."""
    wanted = iter(places)
    place = next(wanted, None)
    for number, kept in enumerate(table.rows()):
        if number == place:
            yield kept.cells
            place = next(wanted, None)
        if place is None:
            return


def _added(prediction: Prediction, labels: tuple[str, ...], separator: str) -> list[object]:
    return [
        separator.join(prediction.labels) if prediction.labels else None,
        shortest(prediction.score),
        set(prediction.labels) == set(labels),
    ]
