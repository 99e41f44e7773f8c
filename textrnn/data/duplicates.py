"""Duplicate texts within a split and between splits."""

from __future__ import annotations

from collections.abc import Sequence

from textrnn.data.corpus import Split, normal_form
from textrnn.messages.wording import counted

__all__ = ["conflicting_labels", "shared_texts", "text_groups"]


def text_groups(texts: Sequence[str]) -> list[int]:
    """Returns one number per text, the same for texts that differ only in case and white space."""
    return [hash(normal_form(text)) for text in texts]


def shared_texts(split: Split, *other_splits: Split) -> int:
    """Counts the texts of a split that are also in the other splits."""
    seen = {group for other in other_splits for group in text_groups(other.texts)}
    return sum(group in seen for group in text_groups(split.texts))


def conflicting_labels(split: Split, *, where: str) -> list[str]:
    """Returns a sentence if equal texts have different labels, else an empty list.

    Args:
        split: The texts and labels.
        where: The name of the source, for the sentence.
    """
    first_rows: dict[int, int] = {}
    conflicts: dict[int, int] = {}
    for row, group in enumerate(text_groups(split.texts)):
        first_row = first_rows.setdefault(group, row)
        if set(split.labels[row]) != set(split.labels[first_row]):
            conflicts.setdefault(first_row, row)
    if not conflicts:
        return []
    first_row, conflicting_row = next(iter(conflicts.items()))
    text = " ".join(split.texts[first_row].split())
    labels = (", ".join(split.labels[row]) or "no label" for row in (first_row, conflicting_row))
    return [
        f"{where}: {counted(len(conflicts), 'text occurs', 'texts occur')} more than once with "
        f"different labels, such as {text[:40]!r} as {' and as '.join(labels)}; no model can "
        "classify both correctly."
    ]
