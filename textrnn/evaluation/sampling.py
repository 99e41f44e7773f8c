"""Validation and test texts that a time budget leaves time to measure on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from textrnn.data import Split
from textrnn.data.batching import Batch, BatchPlan

__all__ = [
    "FEWEST_TEXTS",
    "blocks",
    "drawn",
    "spread_batches",
    "stratified_order",
    "texts_an_epoch",
]

FEWEST_TEXTS = 1000
"""Texts that are measured on at least, where there are so many."""

LARGE_SHARE = 0.25
"""Share of the time left for training beyond which one validation takes too long."""

SAMPLE_SHARE = 0.1
"""Share of that time that the validation of a sample takes."""

BLOCKS = 20
"""Parts in which texts are measured on until the time is up."""


def texts_an_epoch(texts: int, *, seconds: float, left: float) -> int:
    """Returns how many validation texts each epoch is measured on: all, or a sample.

    Args:
        texts: How many there are.
        seconds: What measuring on all of them takes.
        left: The time left for training and its validations.
    """
    if texts <= FEWEST_TEXTS or seconds <= LARGE_SHARE * left:
        return texts
    affordable = texts * SAMPLE_SHARE * max(left, 0.0) / seconds
    return min(texts, max(FEWEST_TEXTS, int(float(f"{affordable:.1g}"))))


def drawn(classes: Sequence[Any] | np.ndarray, count: int, *, seed: int) -> np.ndarray:
    """Returns the places of some texts `[count]`, each class with its share, in ascending order.

    Args:
        classes: `[N]`, the class of each text.
        count: How many are drawn, at most N.
        seed: Of the choice within each class.
    """
    return np.asarray(np.sort(stratified_order(classes, seed=seed)[:count]))


def stratified_order(classes: Sequence[Any] | np.ndarray, *, seed: int) -> np.ndarray:
    """Returns the places of all texts `[N]` in an order whose every beginning is stratified.

    Args:
        classes: `[N]`, the class of each text.
        seed: Of the order within each class.
    """
    _, classes = np.unique(np.asarray(classes), return_inverse=True)
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(len(classes))
    within = shuffled[np.argsort(classes[shuffled], kind="stable")]  # Class after class.
    sizes = np.bincount(classes)
    starts = np.cumsum(sizes) - sizes
    own = classes[within]
    share = (np.arange(len(within)) - starts[own] + rng.random(len(sizes))[own]) / sizes[own]
    return np.asarray(within[np.argsort(share, kind="stable")])


def blocks(split: Split, *, seed: int) -> Iterator[list[int]]:
    """Yields the places of a split's texts in parts, the first parts being a stratified sample."""
    names = [labels[0] if labels else "" for labels in split.labels]
    order = [int(place) for place in stratified_order(names, seed=seed)]
    size = max(FEWEST_TEXTS, len(order) // BLOCKS)
    yield order[:FEWEST_TEXTS]
    for start in range(FEWEST_TEXTS, len(order), size):
        yield order[start : start + size]


def spread_batches(plan: BatchPlan, count: int) -> list[Batch]:
    """Returns some batches of a plan, short ones and long ones."""
    batches = plan.batches()
    return batches[len(batches) // (2 * count) :: max(len(batches) // count, 1)][:count]
