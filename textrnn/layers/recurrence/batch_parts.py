"""Cutting a batch into parts that the cores of a CPU compute side by side.

One time step of a small cell is too little work for two cores to share, but two parts of the batch
are independent from the first step to the last.
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from textrnn.host.threads import MOST_PARTS, count_cores
from textrnn.layers.recurrence.devices import has_accelerator, is_compiled

__all__ = ["batch_parts", "cut_batch"]


def batch_parts(*, directions: int) -> int:
    """The number of parts that suits the machine.

    It is 1 in eager execution, where operations run one after the other, on an accelerator, and in
    a program that XLA compiles.

    Args:
        directions: The number of recurrences that read the batch at the same time.
    """
    if tf.executing_eagerly() or has_accelerator() or is_compiled():
        return 1
    return max(1, min(MOST_PARTS, count_cores() // directions))


def cut_batch(batch: Sequence[tf.Tensor | None], *, parts: int) -> list[list[tf.Tensor | None]]:
    """Cuts tensors `[B, ...]` into parts of the batch whose sizes differ by one row at most.

    Args:
        batch: The tensors; the first one must not be None.
        parts: The number of parts.

    Returns:
        One list of tensor slices per part; a slice is None where the tensor is. If B is known,
        there are at most B parts; otherwise a part may have no row.
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
