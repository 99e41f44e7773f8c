"""The labels of a classifier whose training continues on other texts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textrnn.data.column_store import LabelColumn
from textrnn.data.corpus import Split
from textrnn.data.labels import label_key
from textrnn.messages.wording import counted, listed

__all__ = ["labels_without_texts", "with_earlier_names"]

_MOST_SHOWN = 10


def with_earlier_names(
    labels: Sequence[tuple[str, ...]], earlier: Sequence[str]
) -> Sequence[tuple[str, ...]]:
    """Returns the labels of texts, with the earlier name of each label that looks like one.

    >>> with_earlier_names([("new  york",), ("paris",)], ["new york"])
    [('new york',), ('paris',)]

    Args:
        labels: The labels of each text.
        earlier: The names of the labels that a classifier has.
    """
    if not earlier:
        return labels
    column, names = LabelColumn.of(labels), {label_key(name): name for name in earlier}
    known = {name for row in column.distinct for name in row}
    return column.renamed({name: names.get(label_key(name), name) for name in known})


def labels_without_texts(
    earlier: Sequence[str], label_names: Sequence[str], splits: Iterable[Split | None]
) -> list[str]:
    """Returns sentences on the labels of an earlier classifier that the training may forget.

    Args:
        earlier: The labels of the classifier that the run starts from.
        label_names: The labels of the run.
        splits: The training texts, then all others; None stands for a split that is missing.
    """
    train, *others = (
        set() if split is None else set(LabelColumn.of(split.labels).name_counts())
        for split in splits
    )
    absent = [label for label in earlier if label in label_names and label not in train]
    unmeasured = [label for label in absent if not any(label in split for split in others)]
    sentences = []
    if absent:
        sentences.append(
            f"no training text has {counted(len(absent), 'label')} that the run keeps from its "
            f"start ({listed(absent, _MOST_SHOWN)}): the training may forget them; add texts of "
            "them, or turn `keep_labels` off to drop them."
        )
    if unmeasured:
        sentences.append(
            "no text of the validation and test data has "
            f"{counted(len(unmeasured), 'label')} that the run keeps from its start "
            f"({listed(unmeasured, _MOST_SHOWN)}): what became of them is not measured, and macro "
            "F1 counts each as 0."
        )
    return sentences
