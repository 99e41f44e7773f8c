"""Spellings of labels: names that look the same, and names that may be misspelt."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from textrnn.data.column_store import LabelColumn
from textrnn.data.labels import label_key
from textrnn.messages.wording import counted, listed

__all__ = ["merge_spellings", "rare_labels"]

_MOST_SHOWN = 5


def merge_spellings(
    labels: Sequence[tuple[str, ...]],
    spellings: Mapping[str, Collection[str]],
    *,
    notices: list[str],
    where: str,
) -> LabelColumn:
    """Returns the labels, with one name for names that a reader cannot tell apart.

    The name is the most frequent spelling; for numbers it is the whole number.

    Args:
        labels: The labels of each row.
        spellings: The spellings that were read as each name.
        notices: Receives a sentence if a label has several spellings.
        where: The name of the source, for messages.
    """
    column = LabelColumn.of(labels)
    counts = column.name_counts()
    names_by_key: dict[str, list[str]] = defaultdict(list)
    for name, _ in counts.most_common():
        names_by_key[label_key(name)].append(name)
    merged_names: dict[str, str] = {}
    merged = []
    for key, names in names_by_key.items():
        merged_names |= dict.fromkeys(names, key if key in names else names[0])
        written = sorted({text for name in names for text in spellings.get(name, [name])})
        if len(written) > 1:
            merged.append(" and ".join(map(ascii, written)))
    if not merged:
        return column
    notices.append(
        f"{where}: several spellings read as one label: {listed(merged, _MOST_SHOWN)}; write each "
        "label in one way."
    )
    return column.renamed(merged_names)


def rare_labels(counts: Mapping[str, int]) -> str:
    """Lists the labels of one row, each with the frequent label it may be a misspelling of.

    >>> rare_labels({"sport": 40, "sports": 1})
    "'sports' (like 'sport', 40 rows)"
    """
    rare = [name for name, count in counts.items() if count == 1]
    frequent = {name.casefold(): name for name, count in counts.items() if count > 1}
    described = []
    for name in rare[:_MOST_SHOWN]:
        close = difflib.get_close_matches(name.casefold(), frequent, n=1, cutoff=0.75)
        similar = frequent[close[0]] if close else ""
        rows = counted(counts[similar], "row") if close else ""
        described.append(f"{name!r} (like {similar!r}, {rows})" if close else f"{name!r}")
    return listed([*described, *rare[_MOST_SHOWN:]], _MOST_SHOWN)
