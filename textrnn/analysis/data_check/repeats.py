"""Texts that occur before: duplicates within a split, and leaks from one split into another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from textrnn.analysis.data_check.checked_split import CheckedSplit
from textrnn.analysis.data_check.findings import Finding, Severity
from textrnn.analysis.data_check.near_duplicates import SIMILARITY, near_duplicate_of
from textrnn.data.corpus import normal_form
from textrnn.messages.wording import counted

__all__ = ["Repeat", "check_repeats", "find_repeats"]

_ADJECTIVES = {"train": "training", "validation": "validation", "test": "test"}

LEAK_SHARE = 0.01
"""The share of leaked texts of a split from which on its figures are wrong, not only too good."""

MANY_REPEATS = 0.05
"""The share of repeated training texts from which on they are a warning."""


@dataclass(frozen=True)
class Repeat:
    """A text that is equal or nearly equal to an earlier one.

    Attributes:
        kind: `exact`: equal but for case and white space; `near`: nearly equal.
        split: The split of the text.
        place: The place of the text in its split.
        of_split: The split of the earlier text: the same one or an earlier one.
        of_place: The place of that text.
        same_labels: Whether both have the same labels.
    """

    kind: Literal["exact", "near"]
    split: CheckedSplit
    place: int
    of_split: CheckedSplit
    of_place: int

    @property
    def same_labels(self) -> bool:
        """Whether both texts have the same labels."""
        return set(self.split.labels[self.place]) == set(self.of_split.labels[self.of_place])

    @property
    def row(self) -> int:
        """The number of the text's row."""
        return self.split.rows[self.place]


def find_repeats(
    splits: Sequence[CheckedSplit],
    *,
    near: bool = True,
    on_progress: Callable[[int], object] | None = None,
) -> list[Repeat]:
    """Returns each text that repeats an earlier one of its split or of an earlier split.

    Args:
        splits: The splits, the training data first.
        near: Whether to look for near-duplicates too.
        on_progress: Receives the number of texts that are done.
    """
    homes = [(split, place) for split in splits for place in range(len(split))]
    texts = [split.texts[place] for split, place in homes]
    first_places: dict[str, int] = {}
    exact = {
        place: first
        for place, text in enumerate(texts)
        if (first := first_places.setdefault(normal_form(text), place)) != place
    }
    similar = near_duplicate_of(texts, on_progress=on_progress) if near else {}
    repeats = []
    for place in sorted(exact.keys() | similar.keys()):
        first = exact.get(place, similar.get(place, place))
        kind: Literal["exact", "near"] = "exact" if place in exact else "near"
        repeats.append(Repeat(kind, *homes[place], *homes[first]))
    return repeats


def check_repeats(splits: Sequence[CheckedSplit], repeats: Sequence[Repeat]) -> Iterator[Finding]:
    """Yields the duplicates, the contradictions and the leaks."""
    for split in splits:
        inside = [r for r in repeats if r.split is split and r.of_split is split]
        yield from _check_contradictions(split, inside)
        yield from _check_duplicates(split, inside)
        yield from _check_leaks(split, [r for r in repeats if r.split is split is not r.of_split])


def _of_kind(repeats: Sequence[Repeat], kind: str) -> list[Repeat]:
    return [repeat for repeat in repeats if repeat.kind == kind]


def _check_duplicates(split: CheckedSplit, repeats: Sequence[Repeat]) -> Iterator[Finding]:
    severity: Severity = "warning" if len(repeats) >= MANY_REPEATS * len(split) else "info"
    for kind, described in (
        ("exact", "equal to an earlier one but for case and white space"),
        ("near", f"nearly equal to an earlier one (similarity {SIMILARITY} or more)"),
    ):
        found = _of_kind(repeats, kind)
        if found:
            verb = "is" if len(found) == 1 else "are"
            yield Finding(
                f"{kind}_duplicates",
                severity,
                split.name,
                f"{counted(len(found), 'text')} ({len(found) / len(split):.1%}) {verb} "
                f"{described}.",
                "Delete them if they are copies and not repeated messages: copies count twice in "
                "the training and in every figure.",
                rows=[repeat.row for repeat in found],
                count=len(found),
            )


def _check_contradictions(split: CheckedSplit, repeats: Sequence[Repeat]) -> Iterator[Finding]:
    for kind, noun in (("exact", "equal"), ("near", "nearly equal")):
        found = [repeat for repeat in _of_kind(repeats, kind) if not repeat.same_labels]
        if found:
            first = found[0]
            labels = [
                ", ".join(names) or "no label"
                for names in (split.labels[first.of_place], split.labels[first.place])
            ]
            yield Finding(
                f"{kind}_contradictions",
                "warning" if kind == "exact" else "info",
                split.name,
                f"{counted(len(found), 'text has', 'texts have')} another label than an earlier "
                f"text that is {noun}, such as row {first.row} ({labels[1]}) and row "
                f"{split.rows[first.of_place]} ({labels[0]}).",
                "Decide for one label; no model can answer both correctly."
                if kind == "exact"
                else "Compare the pairs: one of the two labels may be wrong.",
                rows=[repeat.row for repeat in found],
                count=len(found),
            )


def _check_leaks(split: CheckedSplit, repeats: Sequence[Repeat]) -> Iterator[Finding]:
    severity: Severity = "error" if len(repeats) >= LEAK_SHARE * len(split) else "warning"
    for kind, noun in (("exact", "equal"), ("near", "nearly equal")):
        found = _of_kind(repeats, kind)
        if found:
            names = " or ".join(dict.fromkeys(_ADJECTIVES[r.of_split.name] for r in found))
            verb = "is" if len(found) == 1 else "are"
            yield Finding(
                f"{kind}_leaks",
                severity,
                split.name,
                f"{counted(len(found), f'{split.name} text')} ({len(found) / len(split):.1%}) "
                f"{verb} {noun} to a {names} text.",
                "Take them out of one of the files: the figures are too good because of them.",
                rows=[repeat.row for repeat in found],
                count=len(found),
            )
