"""Explains the texts of a file one by one, in input order and in constant memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textrnn.cli.answer_columns import shortest
from textrnn.cli.answer_table import EXPLAINED_ROWS, AnswerJob, write_answers
from textrnn.cli.texts import BadRow, TextSource

if TYPE_CHECKING:
    from textrnn.cli.answering_run import AnsweringRun
    from textrnn.cli.output_options import OutputOptions
    from textrnn.cli.text_options import TextOptions
    from textrnn.progress import Reporter
    from textrnn.runtime.explanation import Attribution

__all__ = ["BatchExplanation"]

_TYPES: dict[str, type] = {"label": str, "score": float, "words": str, "warning": str}


@dataclass(frozen=True)
class BatchExplanation:
    """Explains many texts with one run.

    Attributes:
        run: The run that answers.
        method: How words get their scores; see `TokenScorer.scores`.
        label: The label to explain; None: the predicted label of each text.
        reporter: Receives the progress and the notes.
    """

    run: AnsweringRun
    method: str
    label: str | None
    reporter: Reporter

    def print(self, source: TextOptions) -> None:
        """Prints one JSON object for each text.

        Args:
            source: The file of the texts.

        Raises:
            DataError: The file cannot be read.
            ConfigError: The label is unknown, or the method does not work for the model.
        """
        texts, explain = TextSource(source), self._explain()
        data = self.run.config.data
        texts.print_answers(map(explain, texts.read(data)), _json_line, reporter=self.reporter)

    def write(self, source: TextOptions, written: OutputOptions) -> None:
        """Writes all columns of the file, and the explanations beside them, into another file.

        Args:
            source: The file of the texts.
            written: The file that is written, and whether an earlier job continues.

        Raises:
            DataError: A file cannot be read or written, or the job that is continued is another
                one.
            ConfigError: The label is unknown, or the method does not work for the model.
        """
        explain = self._explain()
        job = AnswerJob(
            _TYPES,
            lambda texts: [list(_cells(explain(text)).values()) for text in texts],
            options={"method": self.method, "label": self.label},
            part_rows=EXPLAINED_ROWS,
        )
        write_answers(self.run, source, job=job, written=written, reporter=self.reporter)

    def _explain(self) -> Callable[[str], Attribution]:
        explain = self.run.explainer(self.method)
        return lambda text: explain(text, self.label)


def _cells(attribution: Attribution) -> dict[str, Any]:
    """Returns the cells of the added columns by their usual names."""
    return {
        "label": attribution.label,
        "score": shortest(attribution.probability),
        "words": [{**word.to_dict(), "score": shortest(word.score)} for word in attribution.words],
        "warning": attribution.warning,
    }


def _json_line(answer: Attribution | BadRow) -> str:
    if isinstance(answer, BadRow):
        return json.dumps({"text": None, "label": None, "error": answer.reason})
    return json.dumps({"text": answer.text, **_cells(answer)}, ensure_ascii=False)
