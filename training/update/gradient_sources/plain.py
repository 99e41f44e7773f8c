"""The gradient of whole texts by back-propagation through time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from textrnn.models.classifier import TextClassifier
from textrnn.training.update.gradient_sources.source import BatchGradient, MicroBatch
from textrnn.training.update.pure_update import values_of

__all__ = ["PlainGradients"]


class PlainGradients:
    """Computes the gradient of the objective alone.

    Args:
        model: The classifier, built.
    """

    row_specs: tuple[tf.TensorSpec, ...] = ()
    draw_specs: tuple[tf.TensorSpec, ...] = ()

    def __init__(self, model: TextClassifier) -> None:
        self._model = model

    @property
    def variables(self) -> list[Any]:
        """The model's trainable variables."""
        return list(self._model.trainable_variables)

    def draw(self, seed: Sequence[int]) -> tuple[np.ndarray, ...]:
        """Draws nothing."""
        return ()

    def gradients(self, batch: MicroBatch) -> BatchGradient:
        """Computes the gradient; see `GradientSource`."""
        values = values_of(self.variables)
        with tf.GradientTape() as tape:
            tape.watch(values)
            logits = self._model.logits_in_parts(batch.ids, training=True)
            loss = batch.objective(tf.cast(logits, tf.float32))
        return BatchGradient(tape.gradient(loss, values), loss, logits)
