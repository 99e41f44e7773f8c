"""The interface of a gradient source: its inputs, its draws and its gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import tensorflow as tf

__all__ = ["BatchGradient", "GradientSource", "MicroBatch", "Objective"]

Objective = Callable[[tf.Tensor], tf.Tensor]
"""Maps logits `[B, C]` in float32 to a scalar."""


class MicroBatch(NamedTuple):
    """The tensors that one gradient is computed from.

    Attributes:
        ids: `[B, T]`, padding at the right.
        counted: `[B]`, 0 for a filler row, else 1.
        objective: The scaled mean loss of these texts.
        more_rows: The tensors that `GradientSource.row_specs` asks for.
        draws: The tensors that `GradientSource.draw_specs` asks for.
    """

    ids: tf.Tensor
    counted: tf.Tensor
    objective: Objective
    more_rows: tuple[tf.Tensor, ...] = ()
    draws: tuple[tf.Tensor, ...] = ()


class BatchGradient(NamedTuple):
    """The result of a gradient source.

    Attributes:
        gradients: One gradient per variable of `GradientSource.variables`.
        loss: The objective of the logits, without what the source adds to it.
        logits: `[B, C]`.
    """

    gradients: list[Any]
    loss: tf.Tensor
    logits: tf.Tensor


class GradientSource(Protocol):
    """Computes the gradient of a batch; `Step` feeds it and applies the result.

    Attributes:
        row_specs: The tensors `[B', ...]` that the source needs in addition to the labelled texts.
            They come with each batch; replicas and micro-batches share their rows.
        draw_specs: The tensors that `draw` returns. All replicas and micro-batches get the same.
    """

    row_specs: tuple[tf.TensorSpec, ...]
    draw_specs: tuple[tf.TensorSpec, ...]

    @property
    def variables(self) -> list[Any]:
        """The variables that an update changes: the model's, then the source's own."""

    def draw(self, seed: Sequence[int]) -> tuple[np.ndarray, ...]:
        """Draws the random numbers of one update on the host.

        Args:
            seed: The seed, whose last number is that of the update; the same on all workers.
        """

    def gradients(self, batch: MicroBatch) -> BatchGradient:
        """Computes the gradient of a batch; runs inside a `tf.function`, in static shapes if the
        batch has them."""
