"""The lengths of texts, and what unusual lengths mean."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from textrnn.analysis.data_check.checked_split import CheckedSplit
from textrnn.analysis.data_check.findings import Finding
from textrnn.messages.wording import counted
from textrnn.runtime.text.scripts import count_words

__all__ = ["Lengths", "check_lengths", "lengths"]

_LONG_FACTOR, _LONG_CHARACTERS = 20, 10_000
"""A text is unusually long if it has this multiple of the median and this many characters."""

_CUT_CHARACTERS, _CUT_SHARE, _CUT_TEXTS = 40, 0.01, 5
"""Texts look cut if this share, and this number, have exactly the largest length, which is at least
this many characters."""


@dataclass(frozen=True)
class Lengths:
    """The distribution of the lengths of texts.

    Attributes:
        mean: The mean length.
        median: The length that half of the texts do not exceed.
        percentile_95: The length that 95 % of the texts do not exceed.
        longest: The largest length.
    """

    mean: float
    median: int
    percentile_95: int
    longest: int

    @classmethod
    def of(cls, values: Sequence[int]) -> Lengths:
        """Returns the distribution of some lengths, of which there is at least one."""
        ordered = sorted(values)
        last = len(ordered) - 1
        return cls(
            mean=sum(ordered) / len(ordered),
            median=ordered[last // 2],
            percentile_95=ordered[round(last * 0.95)],
            longest=ordered[last],
        )


def lengths(split: CheckedSplit) -> dict[str, dict[str, float]]:
    """Returns the lengths of a split in `characters` and in `words`, ready for JSON.

    >>> from textrnn.data import Split
    >>> split = CheckedSplit.of(Split(["a film", "dull"], [("pos",), ("neg",)]), name="train")
    >>> lengths(split)["words"]["mean"]
    1.5
    """
    characters = Lengths.of([len(text) for text in split.texts])
    words = Lengths.of([round(count_words(text)) for text in split.texts])
    return {"characters": asdict(characters), "words": asdict(words)}


def check_lengths(split: CheckedSplit) -> Iterator[Finding]:
    """Yields texts that are much longer than the others, and texts that were probably cut."""
    counts = [len(text) for text in split.texts]
    ordered = sorted(counts)
    median, longest = ordered[(len(ordered) - 1) // 2], ordered[-1]
    limit = max(_LONG_FACTOR * median, _LONG_CHARACTERS)
    long = [place for place, count in enumerate(counts) if count > limit]
    if long:
        place = max(long, key=lambda place: counts[place])
        yield Finding(
            "long_texts",
            "warning",
            split.name,
            f"{counted(len(long), 'text')} of more than {limit:,} characters: the longest, row "
            f"{split.rows[place]}, has {counts[place]:,}, the median is {median:,}.",
            "Look whether rows have run together, such as by a quote that is not closed.",
            rows=split.numbers(long),
            count=len(long),
        )
    at_most = [place for place, count in enumerate(counts) if count == longest]
    before = Counter(counts)[longest - 1]
    many = max(_CUT_TEXTS, _CUT_SHARE * len(counts))
    if longest >= _CUT_CHARACTERS and len(at_most) >= many and len(at_most) > 3 * before:
        yield Finding(
            "cut_texts",
            "warning",
            split.name,
            f"{counted(len(at_most), 'text has', 'texts have')} exactly {longest:,} characters, "
            "the largest length: the texts were probably cut there.",
            "Export them whole if what was cut off matters.",
            rows=split.numbers(at_most),
            count=len(at_most),
        )
