"""The number of texts of each class: too small to learn, too small to measure, out of balance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from textrnn.analysis.data_check.checked_split import CheckedSplit
from textrnn.analysis.data_check.findings import Finding
from textrnn.messages.wording import counted, listed

__all__ = ["LEAST_TO_LEARN", "LEAST_TO_MEASURE", "check_class_sizes", "class_counts"]

LEAST_TO_LEARN = 10
"""With fewer training texts, a class is rarely learned."""

LEAST_TO_MEASURE = 10
"""With fewer texts, the 95 % interval of a class's recall is over 50 points wide."""

IMBALANCE = 10.0
"""If the largest class is this many times as large as the smallest, that is reported."""

FEW_TEXTS = 100
"""With fewer texts, the 95 % interval of an accuracy is about 20 points wide."""

_MOST_NAMES = 8


def class_counts(splits: Sequence[CheckedSplit]) -> dict[str, dict[str, int]]:
    """Returns the number of texts of each class in each split, the largest class first."""
    counts = {split.name: _counts(split) for split in splits}
    order = sum(counts.values(), Counter[str]())
    return {
        label: {name: split_counts[label] for name, split_counts in counts.items()}
        for label, _ in sorted(order.items(), key=lambda item: (-item[1], item[0]))
    }


def _counts(split: CheckedSplit) -> Counter[str]:
    return Counter(label for labels in split.labels for label in labels)


def check_class_sizes(
    splits: Sequence[CheckedSplit], *, multi_label: bool = False
) -> Iterator[Finding]:
    """Yields what the sizes of the classes and of the splits mean for a training.

    Args:
        splits: The splits, the training data first.
        multi_label: Whether a text may have any number of labels.
    """
    train, *others = splits
    counts = _counts(train)
    yield from _check_number(counts, train, multi_label=multi_label)
    small = {label: count for label, count in counts.items() if count < LEAST_TO_LEARN}
    if small:
        rows = [
            row
            for row, labels in zip(train.rows, train.labels, strict=True)
            if any(label in small for label in labels)
        ]
        yield Finding(
            "small_classes",
            "warning",
            train.name,
            f"{counted(len(small), 'class has', 'classes have')} fewer than {LEAST_TO_LEARN} "
            f"texts: {_with_counts(small)}.",
            "Add texts, or merge these classes into others.",
            rows=rows,
            count=len(small),
        )
    yield from _check_balance(counts, train)
    for split in others:
        yield from _check_measurable(split, counts)
    for split in splits:
        if len(split) < FEW_TEXTS:
            yield Finding(
                "few_texts",
                "warning",
                split.name,
                f"The {split.name} data has only {counted(len(split), 'text')}.",
                f"Add texts; with fewer than {FEW_TEXTS} the figures are rough guesses.",
                count=len(split),
            )


def _check_number(
    counts: Counter[str], train: CheckedSplit, *, multi_label: bool
) -> Iterator[Finding]:
    if len(counts) >= (1 if multi_label else 2):
        return
    yield Finding(
        "one_class",
        "error",
        train.name,
        f"All texts have the same label: {listed(list(counts)) or 'none'}.",
        "Name the right column by `label_column`, or add texts of other labels.",
        count=len(train),
    )


def _check_balance(counts: Counter[str], train: CheckedSplit) -> Iterator[Finding]:
    if len(counts) < 2:
        return
    (largest, most), *_, (smallest, least) = counts.most_common()
    if most < IMBALANCE * least:
        return
    yield Finding(
        "imbalance",
        "info",
        train.name,
        f"The largest class, {largest!r}, has {most:,} texts ({most / len(train):.0%}), the "
        f"smallest, {smallest!r}, {least:,}; an answer that is always {largest!r} is right for "
        f"{most / len(train):.0%}.",
        "Judge a model by macro F1 and the figures of each class; `class_weights=True` weighs "
        "small classes up.",
        count=most,
    )


def _check_measurable(split: CheckedSplit, trained: Counter[str]) -> Iterator[Finding]:
    counts = _counts(split)
    absent = [label for label in trained if not counts[label]]
    few = {label: counts[label] for label in trained if 0 < counts[label] < LEAST_TO_MEASURE}
    if absent:
        yield Finding(
            "unmeasured_classes",
            "warning",
            split.name,
            f"No {split.name} text has the {counted(len(absent), 'class', 'classes')} "
            f"{listed(absent, _MOST_NAMES)}.",
            "Add texts of them; nothing is known about a class without any.",
            count=len(absent),
        )
    if few:
        yield Finding(
            "hardly_measured_classes",
            "info",
            split.name,
            f"{counted(len(few), 'class has', 'classes have')} fewer than {LEAST_TO_MEASURE} "
            f"{split.name} texts: {_with_counts(few)}.",
            "Add texts before you trust the figures of these classes.",
            count=len(few),
        )


def _with_counts(counts: dict[str, int]) -> str:
    described = [f"{label!r} ({count:,})" for label, count in sorted(counts.items())]
    return listed(described, _MOST_NAMES)
