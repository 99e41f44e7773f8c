"""Chooses the rows of a file whose labels would teach the most, and prints or writes them."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click
import numpy as np

from textrnn.cli.answer_columns import AnswerColumns, renamed_notices, shortest
from textrnn.cli.answer_table import output_layout
from textrnn.cli.answers import (
    Answer,
    AnswerOptions,
    answer_texts,
    json_line,
    label_separator,
    text_line,
)
from textrnn.cli.text_options import STDIN, TextOptions
from textrnn.config.choices import DISAGREEMENT
from textrnn.data.input_table import InputTable
from textrnn.data.paths import kind
from textrnn.data.resumable_output import PART_ROWS, ResumableOutput
from textrnn.data.rows import RowError, check_text
from textrnn.data.writers import WRITERS
from textrnn.inference.diversity import choose_different
from textrnn.inference.ensemble import check_same_labels
from textrnn.inference.uncertainty import disagreements, uncertainties
from textrnn.messages.wording import counted
from textrnn.runtime.blocks import blocks

if TYPE_CHECKING:
    from textrnn.cli.answering_run import AnsweringRun
    from textrnn.cli.output_options import OutputOptions
    from textrnn.cli.uncertain_options import UncertainOptions
    from textrnn.data.kept_rows import KeptRow
    from textrnn.progress import Reporter

__all__ = ["UncertainRows", "check_members"]

CANDIDATES = 10
"""The number of candidates for each row that is chosen for its difference from the others."""

UNCERTAINTY = "uncertainty"


class _Candidate(NamedTuple):
    cells: Sequence[object]
    answer: Answer

    @property
    def uncertainty(self) -> float:
        return float(self.answer.figures[UNCERTAINTY])


@dataclass
class UncertainRows:
    """Answers all rows of a file, and keeps the most uncertain ones.

    Only the candidates are in memory. Rows that cannot be read and blank texts are no candidates.

    Attributes:
        run: The run that answers.
        choice: How many rows are chosen, and how.
        options: What the answers contain in addition to the prediction from the whole text.
        reporter: Receives the progress and the notes.
        members: The runs whose answers are compared with those of the first one.
    """

    run: AnsweringRun
    choice: UncertainOptions
    options: AnswerOptions
    reporter: Reporter
    members: Sequence[AnsweringRun] = ()

    def print(self, source: TextOptions, *, as_json: bool) -> None:
        """Prints a line for each of the rows, the most uncertain first.

        Args:
            source: The file of the texts.
            as_json: Whether a line is a JSON object.

        Raises:
            DataError: The file cannot be read.
            ConfigError: The classifier cannot answer with these options.
        """
        separator = label_separator(self.run.classifier)
        for candidate in self._chosen(self._table(source)):
            answer = candidate.answer
            click.echo(json_line(answer) if as_json else text_line(answer, separator=separator))

    def write(self, source: TextOptions, written: OutputOptions) -> None:
        """Writes all columns of the rows, and the answers beside them, the most uncertain first.

        Args:
            source: The file of the texts.
            written: The file that is written, and the columns that it gets.

        Raises:
            DataError: The files cannot be read or written.
            ConfigError: The classifier cannot answer with these options.
        """
        columns = AnswerColumns.of(
            self.run,
            written.columns,
            separator=label_separator(self.run.classifier),
            figures={**self.options.figures, UNCERTAINTY: float},
        )
        table, output = self._table(source), Path(written.output or "")
        layout = output_layout(table, columns.types, output=output)
        for notice in renamed_notices(list(columns.types), list(layout.added)):
            self.reporter.message(f"note: {notice}")
        parts = ResumableOutput(output, WRITERS[kind(output)](layout), job={})
        try:
            chosen = self._chosen(table)
            for part in blocks(chosen, PART_ROWS):
                parts.add([[*kept.cells, *columns.cells(kept.answer)] for kept in part])
            parts.finish()
        finally:
            parts.discard()
        self.reporter.message(f"{counted(len(chosen), 'row')} written to {output}")

    def _table(self, source: TextOptions) -> InputTable:
        form = source.file_format(self.run.config.data)
        return InputTable(source.path or STDIN, form)

    def _chosen(self, table: InputTable) -> list[_Candidate]:
        count = self.choice.uncertain or 0
        kept = count * CANDIDATES if self.choice.diverse else count
        # nlargest holds `kept` rows, and of equal ones it prefers the earlier.
        candidates = heapq.nlargest(kept, self._candidates(table), key=lambda c: c.uncertainty)
        for notice in table.notices:
            self.reporter.message(f"note: {notice}")
        if not self.choice.diverse:
            return candidates
        encoded = self.run.tokenizer.encode_batch([c.answer.text for c in candidates])
        places = choose_different(
            encoded,
            weights=np.array([candidate.uncertainty for candidate in candidates]),
            count=count,
            seed=self.run.config.runtime.seed,
        )
        return [candidates[place] for place in places]

    def _candidates(self, table: InputTable) -> Iterator[_Candidate]:
        rows, left_out = 0, 0
        with self.reporter.step("rows", total=0) as advance:
            for part in blocks(table.rows(), PART_ROWS):
                readable = [(kept, text) for kept in part if (text := _text(kept, table))]
                rows, left_out = rows + len(part), left_out + len(part) - len(readable)
                texts = [text for _, text in readable]
                answers = list(answer_texts(self.run, texts, self.options))
                figures = self._uncertainties(texts, answers)
                for (kept, _), answer, figure in zip(readable, answers, figures, strict=True):
                    more = {**answer.figures, UNCERTAINTY: shortest(figure)}
                    yield _Candidate(kept.cells, replace(answer, figures=more))
                advance(len(part))
        if left_out:
            self.reporter.message(
                f"note: {counted(left_out, 'row')} of {rows:,} left out: blank or not readable."
            )

    def _uncertainties(self, texts: Sequence[str], answers: Sequence[Answer]) -> np.ndarray:
        space = self.run.label_space
        scores = [list(answer.prediction.scores.values()) for answer in answers]
        probabilities = np.reshape(scores, [-1, len(space.labels)])
        if self.choice.by != DISAGREEMENT:
            return uncertainties(probabilities, label_space=space, by=self.choice.by)
        others = [member.probabilities(texts, labels=space.labels) for member in self.members]
        return disagreements(np.stack([probabilities, *others]), label_space=space)


def check_members(members: Sequence[AnsweringRun], run: AnsweringRun) -> None:
    """Checks that runs can be compared with another one.

    Args:
        members: The runs.
        run: The other one.

    Raises:
        DataError: One has other labels.
        ConfigError: Only one of them and the other one is multi-label.
    """
    for member in members:
        check_same_labels(
            member.label_space,
            run.label_space,
            name=str(member.folder),
            expected_name=str(run.folder),
        )


def _text(kept: KeptRow, table: InputTable) -> str | None:
    """Returns the text of a row; None if it is blank or cannot be read."""
    try:
        text = check_text(kept.row, encoding=table.encoding)
    except RowError:
        return None
    return text if text.strip() else None
