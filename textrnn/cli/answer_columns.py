"""The columns that a table of answers has in addition to those of its input."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textrnn.cli.answering_run import AnsweringRun
    from textrnn.cli.answers import Answer

__all__ = [
    "ERROR",
    "AnswerColumns",
    "ColumnOptions",
    "free_names",
    "renamed_notices",
    "shortest",
]

ERROR = "error"
"""The last column, which says why a row has no answer."""

Values = Callable[["Answer"], Mapping[str, object]]


@dataclass(frozen=True)
class ColumnOptions:
    """The columns that a user asks for.

    Attributes:
        top_k: The number of labels with their scores: the answered one, then the others, the most
            probable first.
        all_scores: Whether there is a column with the score of each label.
        token_counts: Whether there are columns with the number of tokens of the text and of those
            that the model did not read.
        explain_words: The number of words that did the most for the label; 0 for no such column.
    """

    top_k: int = 1
    all_scores: bool = False
    token_counts: bool = False
    explain_words: int = 0


@dataclass(frozen=True)
class AnswerColumns:
    """Makes the cells that show the answers of one classifier.

    Attributes:
        types: The type of each column, by its name, in order: `str`, `int`, `float` or `bool`.
        groups: Functions that return the cells of one answer by the names of their columns.
    """

    types: Mapping[str, type] = field(default_factory=dict)
    groups: Sequence[Values] = ()

    @classmethod
    def of(
        cls,
        run: AnsweringRun,
        options: ColumnOptions,
        *,
        separator: str,
        figures: Mapping[str, type] | None = None,
    ) -> AnswerColumns:
        """Returns the columns for a run.

        Args:
            run: The run that answers.
            options: The columns that the user asks for.
            separator: The separator of several labels of one text.
            figures: The further figures of each answer: their types by name.
        """
        types: dict[str, type] = {"label": str, "score": float}
        groups: list[Values] = [_label_cells(separator)]
        ranks = range(2, min(options.top_k, len(run.labels)) + 1)
        for rank in ranks:
            types |= {f"label_{rank}": str, f"score_{rank}": float}
        if ranks:
            groups.append(_ranked_cells(ranks))
        if options.all_scores:
            types |= {f"score:{label}": float for label in run.labels}
            groups.append(_all_score_cells)
        if options.token_counts:
            types |= {"tokens": int, "tokens_cut": int}
            groups.append(_token_cells(run))
        if figures:
            types |= figures
            groups.append(lambda answer: {name: answer.figures.get(name) for name in figures})
        if options.explain_words:
            types["words"] = str
            groups.append(_word_cells(run, options.explain_words))
        return cls(types, groups)

    def cells(self, answer: Answer) -> list[object]:
        """Returns the cells of one answer, in the order of the columns."""
        values: dict[str, object] = {}
        for group in self.groups:
            values.update(group(answer))
        return [values[name] for name in self.types]


def shortest(score: float) -> float:
    """Returns the number with the fewest digits that is the same in single precision.

    >>> shortest(0.10000000149011612)
    0.1
    """
    import numpy as np

    return float(str(np.float32(score)))


def _label_cells(separator: str) -> Values:
    def cells(answer: Answer) -> dict[str, object]:
        prediction = answer.prediction
        label = separator.join(prediction.labels) if prediction.labels else None
        return {"label": label, "score": shortest(prediction.score)}

    return cells


def _ranked_cells(ranks: range) -> Values:
    """Returns the labels beside the first one, which a rule may prefer to a more probable one."""

    def cells(answer: Answer) -> dict[str, object]:
        scores, first = answer.prediction.scores, answer.prediction.label
        ordered = sorted(scores, key=lambda label: -scores[label])
        others = [label for label in ordered if label != first]
        return {
            name: value
            for rank, label in zip(ranks, others, strict=False)
            for name, value in (
                (f"label_{rank}", label),
                (f"score_{rank}", shortest(scores[label])),
            )
        }

    return cells


def _all_score_cells(answer: Answer) -> dict[str, object]:
    scores = answer.prediction.scores
    return {f"score:{label}": shortest(score) for label, score in scores.items()}


def _token_cells(run: AnsweringRun) -> Values:
    model = run.config.model
    # A model that reads forwards only reads each text to its end.
    cuts = model.bidirectional or model.pyramid
    longest = run.config.batches.max_length if cuts else 0

    def cells(answer: Answer) -> dict[str, object]:
        tokens = len(run.tokenizer.encode(answer.text))
        return {"tokens": tokens, "tokens_cut": max(0, tokens - longest) if longest else 0}

    return cells


def _word_cells(run: AnsweringRun, count: int) -> Values:
    from textrnn.analysis.attribution.page import strongest
    from textrnn.config.choices import ATTRIBUTIONS

    explain = run.explainer(ATTRIBUTIONS[0])

    def cells(answer: Answer) -> dict[str, object]:
        if not answer.text.strip():
            return {"words": None}
        attribution = explain(answer.text, answer.prediction.label)
        words = [f"{word} ({score:+.2f})" for word, score in strongest(attribution, count)]
        return {"words": " ".join(words)}

    return cells


def free_names(names: Sequence[str], taken: Sequence[str]) -> list[str]:
    """Returns names for added columns that the input does not have.

    >>> free_names(["label", "score"], ["text", "label"])
    ['predicted_label', 'score']

    Args:
        names: The usual names of the columns.
        taken: The names of the columns of the input.
    """
    occupied, free = set(taken), []
    for name in names:
        candidates = [name, f"predicted_{name}"]
        candidates += [f"predicted_{name}_{number}" for number in range(2, len(occupied) + 3)]
        free.append(next(candidate for candidate in candidates if candidate not in occupied))
        occupied.add(free[-1])
    return free


def renamed_notices(names: Sequence[str], free: Sequence[str]) -> list[str]:
    """Returns a sentence on the added columns whose usual names the input has already."""
    renamed = [(name, other) for name, other in zip(names, free, strict=True) if name != other]
    if not renamed:
        return []
    return [
        "the input has columns of the same names, so that the answers are in "
        + ", ".join(f"{other!r} instead of {name!r}" for name, other in renamed)
        + "."
    ]
