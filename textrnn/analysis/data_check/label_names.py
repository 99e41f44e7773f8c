"""Labels whose names are nearly equal, so that one may be a misspelling of the other."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator

from textrnn.analysis.data_check.checked_split import CheckedSplit
from textrnn.analysis.data_check.findings import Finding
from textrnn.messages.wording import counted, listed

__all__ = ["check_label_names"]

SIMILARITY = 0.85
"""The least `difflib` ratio of two names that are nearly equal."""

RARE = 0.1
"""A name with at most this share of the other name's rows is probably the misspelling."""

MOST_LABELS = 2000
"""The names of more labels are not compared, because each pair takes some microseconds."""

_SEPARATORS = re.compile(r"[\W_]+")


def check_label_names(train: CheckedSplit) -> Iterator[Finding]:
    """Yields the pairs of labels whose names differ in their form or in a letter or two."""
    counts = Counter(label for labels in train.labels for label in labels)
    if len(counts) > MOST_LABELS:
        return
    same, close = _similar_pairs(list(counts))
    if same:
        yield _finding("warning", "differ only in their form", same, counts, train)
    misspelt = [pair for pair in close if _is_rare(pair, counts)]
    if misspelt:
        yield _finding("warning", "differ in a letter or two", misspelt, counts, train)
    both = [pair for pair in close if pair not in misspelt]
    if both:
        yield _finding("info", "are nearly equal", both, counts, train)


def _similar_pairs(names: list[str]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Returns the pairs of equal form, and the other pairs that are nearly equal."""
    forms = {name: _form(name) for name in names}
    same, close = [], []
    matcher = difflib.SequenceMatcher(autojunk=False)
    for place, second in enumerate(names):
        matcher.set_seq2(forms[second])
        for first in names[:place]:
            if forms[first] == forms[second]:
                same.append((first, second))
                continue
            if _numbers(first) != _numbers(second):  # "level 1" and "level 2" are meant.
                continue
            matcher.set_seq1(forms[first])
            if matcher.real_quick_ratio() < SIMILARITY or matcher.quick_ratio() < SIMILARITY:
                continue
            if matcher.ratio() >= SIMILARITY:
                close.append((first, second))
    return same, close


def _form(name: str) -> str:
    """Returns a name without case, separators and the plural's s."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    words = [word for word in _SEPARATORS.split(folded) if word]
    if words and len(words[-1]) > 3:
        words[-1] = words[-1].removesuffix("s")
    return "".join(words) or folded


def _numbers(name: str) -> list[str]:
    return re.findall(r"\d+", name)


def _is_rare(pair: tuple[str, str], counts: Counter[str]) -> bool:
    fewer, more = sorted(counts[name] for name in pair)
    return fewer <= RARE * more


def _finding(
    severity: str,
    how: str,
    pairs: list[tuple[str, str]],
    counts: Counter[str],
    train: CheckedSplit,
) -> Finding:
    shown = [
        " and ".join(f"{name!r} ({counted(counts[name], 'row')})" for name in pair)
        for pair in pairs
    ]
    rarest = {min(pair, key=lambda name: (counts[name], name)) for pair in pairs}
    rows = [
        row
        for row, labels in zip(train.rows, train.labels, strict=True)
        if rarest.intersection(labels)
    ]
    return Finding(
        "similar_labels",
        "warning" if severity == "warning" else "info",
        train.name,
        f"{counted(len(pairs), 'pair')} of labels {how}: {listed(shown, 5)}.",
        "Give them one name if they mean the same.",
        rows=rows if severity == "warning" else (),
        count=len(pairs),
    )
