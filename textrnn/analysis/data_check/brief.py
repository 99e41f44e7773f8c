"""The short form of a check, before every training: what is serious and cheap to find."""

from __future__ import annotations

import numpy as np

from textrnn.analysis.data_check.class_sizes import LEAST_TO_LEARN
from textrnn.analysis.data_check.repeats import MANY_REPEATS
from textrnn.data import Corpus
from textrnn.data.column_store import LabelColumn
from textrnn.messages.wording import counted, listed

__all__ = ["brief_check"]

_MOST_NAMES = 5


def brief_check(corpus: Corpus) -> list[str]:
    """Returns at most two sentences on the training data that its notices do not contain.

    >>> from textrnn.data import Split
    >>> train = Split(["one", "two", "One", "three"], [("a",), ("b",), ("a",), ("b",)])
    >>> brief_check(Corpus("numbers", train, train, None, ("a", "b"), ()))[0]
    '1 of 4 training texts (25.0%) repeats an earlier one; textrnn check lists them.'

    Args:
        corpus: The data of a run.
    """
    sentences = []
    repeated = len(corpus.train) - len(np.unique(corpus.train.text_hashes))
    if repeated >= max(1, MANY_REPEATS * len(corpus.train)):
        verb = "repeats" if repeated == 1 else "repeat"
        sentences.append(
            f"{repeated:,} of {len(corpus.train):,} training texts "
            f"({repeated / len(corpus.train):.1%}) {verb} an earlier one; textrnn check lists them."
        )
    counts = LabelColumn.of(corpus.train.labels).name_counts()
    # The notices name the labels of 1 row. In tiny data all classes are small, as anyone can see.
    small = {name: n for name, n in sorted(counts.items()) if 1 < n < LEAST_TO_LEARN}
    if small and len(corpus.train) >= LEAST_TO_LEARN * len(counts):
        names = listed([f"{name!r} ({count})" for name, count in small.items()], _MOST_NAMES)
        sentences.append(
            f"{counted(len(small), 'label has', 'labels have')} fewer than {LEAST_TO_LEARN} "
            f"training texts and may not be learned: {names}."
        )
    return sentences
