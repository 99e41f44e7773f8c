"""The values of an update that all workers receive."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import tensorflow as tf

__all__ = ["PendingUpdate", "Signals"]


class PendingUpdate(NamedTuple):
    """An update whose signals have not been read.

    Attributes:
        signals: The tensor that `Step` returned.
        batch: The number of its batch in the epoch.
        rows: The number of its texts.
        tokens: The number of their tokens.
    """

    signals: tf.Tensor
    batch: int
    rows: int
    tokens: float


class Signals(NamedTuple):
    """The values of an update that all workers receive.

    >>> Signals(loss_sum=3.0, correct=2.0, norm=float("inf"), control_flags=()).problem(
    ...     rows=4, most_loss=100.0
    ... )
    "the gradient's norm is inf"

    Attributes:
        loss_sum: The weighted sum of the texts' losses.
        correct: The number of texts whose labels are all right.
        norm: The norm of the gradient before clipping.
        control_flags: The chief's control flags.
    """

    loss_sum: float
    correct: float
    norm: float
    control_flags: tuple[float, ...]

    @classmethod
    def read(cls, signals: tf.Tensor) -> Signals:
        """Waits for an update and returns its signals.

        Args:
            signals: `[3 + K]`, the result of a `Step`.
        """
        loss_sum, correct, norm, *control_flags = (float(value) for value in np.asarray(signals))
        return cls(loss_sum, correct, norm, tuple(control_flags))

    def problem(self, *, rows: int, most_loss: float) -> str | None:
        """Returns why the update made the weights useless; None if it did not.

        Args:
            rows: The number of texts in the batch.
            most_loss: The mean loss of a text above which the loss has exploded.
        """
        if not math.isfinite(self.loss_sum):
            return f"the loss is {self.loss_sum}"
        if self.loss_sum > most_loss * max(rows, 1):
            return f"the loss has exploded to {self.loss_sum / max(rows, 1):.3g} nats a text"
        return None if math.isfinite(self.norm) else f"the gradient's norm is {self.norm}"
