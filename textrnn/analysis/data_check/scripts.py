"""The scripts that texts are written in, by Unicode's property Script (Annex 24).

fontTools, which matplotlib needs too, has the table of the property.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from textrnn.analysis.data_check.checked_split import CheckedSplit
from textrnn.analysis.data_check.findings import Finding
from textrnn.messages.wording import counted, listed

__all__ = ["check_scripts", "script_shares"]

_NO_SCRIPT = {"Zyyy", "Zinh", "Zzzz"}
"""Common signs and digits, combining marks, and unassigned characters."""

LEAST_SHARE = 0.001
"""The least share of the letters of a script that is listed."""

MOST_DIFFERENT = 0.3
"""The distance between the scripts of a class and of all texts from which on it is a warning."""

LEAST_LETTERS = 200
"""The scripts of a class with fewer letters are not compared."""


def script_shares(texts: Iterable[str]) -> dict[str, float]:
    """Returns the share of the letters that each script has, the largest first.

    >>> script_shares(["ab", "\u043f\u0440"])
    {'Latin': 0.5, 'Cyrillic': 0.5}
    """
    return _shares(_character_counts(texts))


def check_scripts(split: CheckedSplit) -> Iterator[Finding]:
    """Yields the scripts of a split, and the classes that are written in other ones."""
    texts_of_class: dict[str, list[str]] = defaultdict(list)
    for text, labels in zip(split.texts, split.labels, strict=True):
        for label in labels or ("",):
            texts_of_class[label].append(text)
    counts = {label: _character_counts(texts) for label, texts in texts_of_class.items()}
    shares = script_shares(split.texts)
    shown = {name: share for name, share in shares.items() if share >= LEAST_SHARE}
    if len(shown) > 1:
        described = listed([f"{name} {share:.1%}" for name, share in shown.items()], 8)
        yield Finding(
            "scripts",
            "info",
            split.name,
            f"The texts have letters of {counted(len(shown), 'script')}: {described}.",
            "Make sure that new texts will have the same ones.",
            count=len(shown),
        )
    different = {}
    for label, characters in counts.items():
        own = _shares(characters)
        distance = sum(abs(own.get(n, 0.0) - shares.get(n, 0.0)) for n in {*own, *shares}) / 2
        if distance >= MOST_DIFFERENT and sum(characters.values()) >= LEAST_LETTERS:
            different[label] = next(iter(own))
    if different and len(counts) > 1:
        described = listed([f"{label!r} ({name})" for label, name in different.items()], 8)
        yield Finding(
            "scripts_of_classes",
            "warning",
            split.name,
            f"{counted(len(different), 'class is', 'classes are')} written in other scripts than "
            f"all texts together: {described}.",
            "Add texts of each class in each script; else the model learns the script, not the "
            "content.",
            count=len(different),
        )


def _character_counts(texts: Iterable[str]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(text)
    return Counter({c: count for c, count in counts.items() if c.isalpha()})


def _shares(characters: Counter[str]) -> dict[str, float]:
    # Slow to import, and not needed by `textrnn --help`.
    from fontTools.unicodedata import script, script_name

    counts: Counter[str] = Counter()
    for character, count in characters.items():
        code = script(character)
        if code not in _NO_SCRIPT:
            counts[script_name(code).replace("_", " ")] += count
    total = sum(counts.values())
    return {name: count / total for name, count in counts.most_common()}
