"""Texts that stand more than once: within a split, and in two of them."""

from __future__ import annotations

from collections.abc import Sequence

from textrnn.data.corpus import Split, normal_form

__all__ = ["conflicting_labels", "shared_texts", "text_groups"]


def text_groups(texts: Sequence[str]) -> list[int]:
    """A number for each text, the same for texts that differ in case and white space alone."""
    return [hash(normal_form(text)) for text in texts]


def shared_texts(split: Split, *others: Split) -> int:
    """How many of a split's texts stand in the others too."""
    seen = {group for other in others for group in text_groups(other.texts)}
    return sum(group in seen for group in text_groups(split.texts))


def conflicting_labels(split: Split, *, where: str) -> list[str]:
    """A sentence on the texts that stand with different labels, or none."""
    first: dict[int, int] = {}
    conflicts: dict[int, int] = {}
    for row, group in enumerate(text_groups(split.texts)):
        place = first.setdefault(group, row)
        if set(split.labels[row]) != set(split.labels[place]):
            conflicts.setdefault(place, row)
    if not conflicts:
        return []
    one, other = next(iter(conflicts.items()))
    text = " ".join(split.texts[one].split())
    labels = (", ".join(split.labels[row]) or "no label" for row in (one, other))
    count = "1 text stands" if len(conflicts) == 1 else f"{len(conflicts):,} texts stand"
    return [
        f"{where}: {count} more than once with different labels, such as {text[:40]!r} as "
        f"{' and as '.join(labels)}; no model can have both right."
    ]
