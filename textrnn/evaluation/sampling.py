"""Samples of the validation and test texts that can be measured within a time budget."""

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
"""The least number of texts that are measured, if there are enough."""

LARGE_SHARE = 0.25
"""A validation of all texts takes too long above this share of the remaining time."""

SAMPLE_SHARE = 0.1
"""The validation of a sample may take this share of the remaining time."""

BLOCKS = 20
"""The number of parts in which texts are measured until the time is over."""


def texts_an_epoch(texts: int, *, seconds: float, left: float) -> int:
    """Returns how many validation texts are measured after each epoch: all, or a sample.

    Args:
        texts: The number of validation texts.
        seconds: The time that measuring all of them takes.
        left: The remaining time for training and validation, in seconds.
    """
    if texts <= FEWEST_TEXTS or seconds <= LARGE_SHARE * left:
        return texts
    affordable = texts * SAMPLE_SHARE * max(left, 0.0) / seconds
    return min(texts, max(FEWEST_TEXTS, int(float(f"{affordable:.1g}"))))


def drawn(classes: Sequence[Any] | np.ndarray, count: int, *, seed: int) -> np.ndarray:
    """Returns the places `[count]` of a stratified sample of texts, in ascending order.

    Args:
        classes: `[N]`, the class of each text.
        count: The size of the sample, at most N.
        seed: The seed of the choice within each class.
    """
    return np.asarray(np.sort(stratified_order(classes, seed=seed)[:count]))


def stratified_order(classes: Sequence[Any] | np.ndarray, *, seed: int) -> np.ndarray:
    """Returns the places `[N]` of all texts in an order whose every beginning is stratified.

    Args:
        classes: `[N]`, the class of each text.
        seed: The seed of the order within each class.
    """
    _, classes = np.unique(np.asarray(classes), return_inverse=True)
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(len(classes))
    within = shuffled[np.argsort(classes[shuffled], kind="stable")]  # One class after the other.
    sizes = np.bincount(classes)
    starts = np.cumsum(sizes) - sizes
    class_of = classes[within]
    ranks = np.arange(len(within)) - starts[class_of]
    share = (ranks + rng.random(len(sizes))[class_of]) / sizes[class_of]
    return np.asarray(within[np.argsort(share, kind="stable")])


def blocks(split: Split, *, seed: int) -> Iterator[list[int]]:
    """Yields the places of the texts of a split in parts; any first parts are stratified."""
    names = [labels[0] if labels else "" for labels in split.labels]
    order = [int(place) for place in stratified_order(names, seed=seed)]
    size = max(FEWEST_TEXTS, len(order) // BLOCKS)
    yield order[:FEWEST_TEXTS]
    for start in range(FEWEST_TEXTS, len(order), size):
        yield order[start : start + size]


def spread_batches(plan: BatchPlan, count: int) -> list[Batch]:
    """Returns some batches of a plan, from short to long texts."""
    batches = plan.batches()
    return batches[len(batches) // (2 * count) :: max(len(batches) // count, 1)][:count]
