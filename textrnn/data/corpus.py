"""Texts with their labels: one `Split` of them, and a `Corpus` of three splits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass

__all__ = ["Corpus", "Split", "normal_form"]


def normal_form(text: str) -> str:
    """What counts as the same text when duplicates are looked for: case and white space aside."""
    return " ".join(text.casefold().split())


@dataclass(frozen=True)
class Split:
    """Texts and their labels, side by side.

    Attributes:
        texts: The texts, as they stand in the source.
        labels: The labels of each text: one in single-label data, any number in multi-label data.
    """

    texts: Sequence[str]
    labels: Sequence[tuple[str, ...]]

    def __post_init__(self) -> None:
        if len(self.texts) != len(self.labels):
            raise ValueError(
                f"`labels` must be as many as `texts`, {len(self.texts)}, got {len(self.labels)}."
            )

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, rows: Sequence[int]) -> Split:
        """The texts and labels at these positions."""
        return Split([self.texts[row] for row in rows], [self.labels[row] for row in rows])


@dataclass(frozen=True)
class Corpus:
    """All the data of one run.

    Attributes:
        name: The data set's name, or the stem of the training file.
        train: What the weights are fitted to.
        validation: What training is steered by.
        test: What the result is measured on, if there is any.
        label_names: The labels of the training data, sorted, or in the data set's own order.
        notices: One sentence, with its count, for everything that was left out or looks wrong.
    """

    name: str
    train: Split
    validation: Split
    test: Split | None
    label_names: tuple[str, ...]
    notices: tuple[str, ...]
