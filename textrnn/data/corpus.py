"""Texts with their labels: a `Split`, and a `Corpus` of three splits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from textrnn.data.column_store import TextColumn, take

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Corpus", "Split", "normal_form"]


def normal_form(text: str) -> str:
    """Returns a form of the text that is the same for duplicates, which differ in case and spaces.

    >>> normal_form(" A  Text\\n")
    'a text'
    """
    return " ".join(text.casefold().split())


@dataclass(frozen=True)
class Split:
    """Texts and their labels.

    >>> split = Split(["good film", "dull"], [("pos",), ("neg",)])
    >>> split.take([1])
    Split(texts=['dull'], labels=[('neg',)])

    Attributes:
        texts: The texts, as they are in the source.
        labels: The labels of each text: one in single-label data, any number in multi-label data.
        places: The place of each text among all rows of its source, ascending; None if unknown.
        groups: The group of each text; None: there are no groups.
        times: A number for each text that grows with its time; None: there are no times.
    """

    texts: Sequence[str]
    labels: Sequence[tuple[str, ...]]
    places: Sequence[int] | np.ndarray | None = field(default=None, repr=False, compare=False)
    groups: Sequence[str] | None = field(default=None, repr=False, compare=False)
    times: Sequence[float] | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.texts) != len(self.labels):
            raise ValueError(
                f"`labels` must have one item per text, {len(self.texts)}, got {len(self.labels)}."
            )

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, rows: Sequence[int] | np.ndarray) -> Split:
        """Returns the split of the texts and labels at these positions."""
        import numpy as np

        rows = np.asarray(rows, np.int64)
        part = Split(
            take(self.texts, rows),
            take(self.labels, rows),
            None if self.places is None else np.asarray(self.places)[rows],
            groups=None if self.groups is None else take(self.groups, rows),
            times=None if self.times is None else take(self.times, rows),
        )
        if "text_hashes" in self.__dict__:
            part.__dict__["text_hashes"] = self.text_hashes[rows]
        return part

    @cached_property
    def characters(self) -> int:
        """The number of characters of all texts."""
        if isinstance(self.texts, TextColumn):
            return self.texts.characters
        return sum(map(len, self.texts))

    @cached_property
    def text_hashes(self) -> np.ndarray:
        """One number `[N]` per text, the same for duplicates; another one in each process."""
        import numpy as np

        return np.fromiter((hash(normal_form(text)) for text in self.texts), np.int64)


@dataclass(frozen=True)
class Corpus:
    """All data of one run.

    >>> train = Split(["good film", "dull"], [("pos",), ("neg",)])
    >>> corpus = Corpus("films", train, train.take([0]), None, ("neg", "pos"), notices=())
    >>> len(corpus.train), len(corpus.validation)
    (2, 1)

    Attributes:
        name: The data set's name, or the stem of the training file.
        train: The texts that the weights are fitted to.
        validation: The texts that choose the epoch and the settings.
        test: The texts that the result is measured on; None if there are none.
        label_names: The labels of the training data, sorted, or in the order of the data set.
        notices: One sentence, with a count, for everything that was left out or looks wrong.
    """

    name: str
    train: Split
    validation: Split
    test: Split | None
    label_names: tuple[str, ...]
    notices: tuple[str, ...]
