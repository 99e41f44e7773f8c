"""What the server needs of a model; `textrnn.runtime.load` returns one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

__all__ = ["Answer", "Explanation", "Load", "Model", "Stream"]


class Answer(Protocol):
    """The answer to one text; see `textrnn.runtime.Answer`."""

    @property
    def label(self) -> str:
        """The label that is answered, or the nearest one."""

    @property
    def score(self) -> float:
        """The probability of the label."""

    @property
    def scores(self) -> Mapping[str, float]:
        """The probability of each label."""

    @property
    def labels(self) -> Sequence[str]:
        """The labels, most probable first."""

    @property
    def abstained(self) -> bool:
        """Whether the answer is withheld."""

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, ready for JSON."""


class Explanation(Protocol):
    """What each word of a text does for the answer; see `textrnn.runtime.Explanation`."""

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, ready for JSON."""


class Stream(Protocol):
    """A text that is still being written."""

    def feed(self, piece: str) -> Answer:
        """Returns the answer to the text as far as it is known."""

    def finish(self) -> Answer:
        """Returns the answer to the complete text."""


class Model(Protocol):
    """A classifier whose methods may be called from several threads at a time.

    `stream` raises a `TextRNNError` if the model cannot read a text piece by piece, `explain` if
    its logits are no sums over words, and `surprise` if there is no language model beside it.
    """

    @property
    def labels(self) -> Sequence[str]:
        """The labels, in the order of the scores."""

    @property
    def multi_label(self) -> bool:
        """Whether a text may have several labels."""

    def answers(self, texts: Sequence[str]) -> Sequence[Answer]:
        """Returns the answer to each text."""

    def explain(self, text: str) -> Explanation:
        """Returns what each word of a text does."""

    def examine(self, text: str, label: str | None = None) -> Explanation:
        """Returns what each word of a text does to a label, and what would change the answer."""

    def surprise(self, text: str) -> Explanation:
        """Returns how surprising each word of a text is."""

    def stream(self) -> Stream:
        """Begins a text."""


Load = Callable[[Path], Model]
"""Loads a run folder, or raises a `TextRNNError`."""
