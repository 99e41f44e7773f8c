"""Duplicate texts within a split and between splits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textrnn.data.column_store import LabelColumn
from textrnn.data.corpus import Split
from textrnn.data.hold_out import numbered
from textrnn.messages.wording import counted

if TYPE_CHECKING:
    import numpy as np

__all__ = ["conflicting_labels", "shared_texts", "text_groups"]


def text_groups(split: Split) -> np.ndarray:
    """Returns one number `[N]` per text, the same for duplicates, ascending by their first texts.

    Duplicates differ only in case and white space.

    >>> text_groups(Split(["dull", "fine", " Dull"], [(), (), ()])).tolist()
    [0, 1, 0]
    """
    return numbered(split.text_hashes)[0]


def shared_texts(split: Split, *other_splits: Split) -> int:
    """Counts the texts of a split that are also in the other splits."""
    import numpy as np

    seen = np.concatenate([other.text_hashes for other in other_splits])
    return int(np.isin(split.text_hashes, seen).sum())


def conflicting_labels(split: Split, *, where: str) -> list[str]:
    """Returns a sentence if equal texts have different labels, else an empty list.

    Args:
        split: The texts and labels.
        where: The name of the source, for the sentence.
    """
    import numpy as np

    labels = LabelColumn.of(split.labels)
    # The order of a row's labels has no meaning.
    sets: dict[frozenset[str], int] = {}
    codes = [sets.setdefault(frozenset(names), len(sets)) for names in labels.distinct]
    row_sets = np.array(codes, np.int64)[labels.codes]
    groups, first_rows = numbered(split.text_hashes)
    (conflicting,) = np.nonzero(row_sets != row_sets[first_rows[groups]])
    if not len(conflicting):
        return []
    texts, places = np.unique(groups[conflicting], return_index=True)
    first_row, conflicting_row = first_rows[texts[0]], conflicting[places[0]]
    text = " ".join(split.texts[first_row].split())
    shown = (", ".join(split.labels[row]) or "no label" for row in (first_row, conflicting_row))
    return [
        f"{where}: {counted(len(texts), 'text occurs', 'texts occur')} more than once with "
        f"different labels, such as {text[:40]!r} as {' and as '.join(shown)}; no model can "
        "classify both correctly."
    ]
