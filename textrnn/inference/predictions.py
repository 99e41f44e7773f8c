"""The predictions for several texts: a list that displays as a table."""

from __future__ import annotations

import html
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, SupportsIndex, TypeVar, overload

from rich import box
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from textrnn.messages.shown import one_line
from textrnn.messages.wording import counted

__all__ = ["Predictions"]

SHOWN_ROWS = 20
"""The number of predictions that a table shows: half of them from each end."""
SHOWN_COLUMNS = 60
"""The width of a text in a table, in columns of a terminal."""
WIDTH = 100
"""The width of a table of plain text, in columns of a terminal."""


class _Answer(Protocol):
    """What a table shows of a prediction; see `textrnn.Prediction`."""

    @property
    def label(self) -> str: ...
    @property
    def score(self) -> float: ...
    @property
    def scores(self) -> Mapping[str, float]: ...
    @property
    def labels(self) -> Sequence[str]: ...


P = TypeVar("P", bound=_Answer)


class Predictions(list[P]):
    """The predictions for some texts: a list that displays as a table, in notebooks too.

    `pandas.DataFrame(predictions.to_dicts())` and `polars.DataFrame(predictions.to_dicts())` are
    tables to compute with.

    Example:
        predictions = textrnn.load("runs/reviews").predict(["a fine film", "dull"])
        predictions[0].label
        predictions.to_dicts(scores=True)

    Args:
        predictions: The predictions.
        texts: The text of each prediction. They are shown as long as the list has the order in
            which it was made.
    """

    def __init__(self, predictions: Iterable[P] = (), texts: Sequence[str] = ()) -> None:
        super().__init__(predictions)
        self._answered = tuple(self)
        self._texts = texts

    @overload
    def __getitem__(self, place: SupportsIndex) -> P: ...
    @overload
    def __getitem__(self, place: slice) -> Predictions[P]: ...
    def __getitem__(self, place: SupportsIndex | slice) -> P | Predictions[P]:
        if not isinstance(place, slice):
            return super().__getitem__(place)
        known = self._has_texts()
        return Predictions(super().__getitem__(place), self._texts[place] if known else ())

    def to_dicts(self, *, scores: bool = False) -> list[dict[str, Any]]:
        """Returns one dictionary per text, with the same keys, which every table package reads.

        Args:
            scores: Whether to add the probability of each label, by the key `score of LABEL`.

        Returns:
            The keys are `text` (if the texts are known), `label` (None if no label is predicted),
            `score` and, for a multi-label model, `labels`.
        """
        known = self._has_texts()
        several = any(len(prediction.labels) != 1 for prediction in self)
        rows = []
        for place, prediction in enumerate(self):
            row: dict[str, Any] = {"text": self._texts[place]} if known else {}
            row["label"] = prediction.label if prediction.labels else None
            row["score"] = prediction.score
            if several:
                row["labels"] = list(prediction.labels)
            if scores:
                row |= {f"score of {name}": p for name, p in prediction.scores.items()}
            rows.append(row)
        return rows

    def __repr__(self) -> str:
        if not self:
            return "no predictions"
        columns, rows = self._table()
        table = Table(
            *(
                Column(name, justify="right" if name in ("", "score") else "left", no_wrap=True)
                for name in columns
            ),
            box=box.SIMPLE_HEAD,
        )
        for row in rows:
            table.add_row(*map(Text, row))
        stream = io.StringIO()
        Console(file=stream, width=WIDTH, color_system=None, force_jupyter=False).print(table)
        lines = [line.rstrip() for line in stream.getvalue().splitlines()]
        return "\n".join([*filter(None, lines), counted(len(self), "prediction")])

    def _repr_html_(self) -> str:
        """Returns the table as HTML, which notebooks display."""
        columns, rows = self._table()
        head = "".join(f"<th>{name}</th>" for name in columns)
        body = "".join(
            f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in rows
        )
        return (
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
            f"<p>{counted(len(self), 'prediction')}</p>"
        )

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Writes the table in IPython, which would print the items of a list."""
        printer.text(repr(self))

    def _has_texts(self) -> bool:
        """Returns whether the texts are known and the list is in the order of the texts."""
        return len(self._texts) == len(self) == len(self._answered) and all(
            one is other for one, other in zip(self, self._answered, strict=True)
        )

    def _table(self) -> tuple[list[str], list[list[str]]]:
        """Returns the names of the columns and the cells of the rows that are shown."""
        known = self._has_texts()
        columns = ["", *(["text"] if known else []), "label", "score"]
        places = list(range(len(self)))
        hidden = len(self) > SHOWN_ROWS
        if hidden:
            places = places[: SHOWN_ROWS // 2] + places[-(SHOWN_ROWS // 2) :]
        rows = []
        for place in places:
            prediction = self[place]
            text = [one_line(self._texts[place], most=SHOWN_COLUMNS)] if known else []
            label = ", ".join(map(one_line, prediction.labels)) or "(none)"
            rows.append([str(place), *text, label, f"{prediction.score:.4f}"])
        if hidden:
            rows.insert(SHOWN_ROWS // 2, ["…" for _ in columns])
        return columns, rows
