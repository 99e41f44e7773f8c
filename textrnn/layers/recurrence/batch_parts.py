"""Cutting a batch into parts that the cores of a CPU compute side by side.

One time step of a small cell is too little work to be shared by two cores, but two parts of the
batch are independent from the first step to the last.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import tensorflow as tf

from textrnn.host.threads import MOST_PARTS, count_cores

__all__ = ["batch_parts", "cut_batch", "has_accelerator"]


@functools.cache
def has_accelerator() -> bool:
    """Whether TensorFlow sees a GPU or a TPU."""
    return bool(tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("TPU"))


def batch_parts(*, directions: int) -> int:
    """Into how many parts to cut a batch that recurrences in so many directions read at once.

    One part where operations run one after the other, eagerly, or there is an accelerator.
    """
    if tf.executing_eagerly() or has_accelerator():
        return 1
    return max(1, min(MOST_PARTS, count_cores() // directions))


def cut_batch(batch: Sequence[tf.Tensor | None], *, parts: int) -> list[list[tf.Tensor | None]]:
    """Cuts the tensors `[B, ...]` into parts of the batch, of sizes as equal as can be.

    Args:
        batch: The tensors, the first of which there must be.
        parts: How many parts.

    Returns:
        For each part what it has of each tensor. There are no more parts than rows, if it is known
        how many rows there are; else a part may have none.
    """
    first = batch[0]
    rows = None if first is None else first.shape[0]
    if rows is not None:
        parts = max(1, min(parts, rows))
    if parts == 1:
        return [list(batch)]
    total = tf.shape(first)[0] if rows is None else rows
    sizes = [(total + i) // parts for i in range(parts)]
    cuts = [
        [None] * parts if tensor is None else tf.split(tensor, sizes, num=parts) for tensor in batch
    ]
    return [list(part) for part in zip(*cuts, strict=True)]
