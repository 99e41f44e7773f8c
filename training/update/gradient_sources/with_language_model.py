"""The gradient of the classification loss and a language model's loss together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from textrnn.models.classifier import TextClassifier
from textrnn.training.update.gradient_sources.source import BatchGradient, MicroBatch
from textrnn.training.update.language_model_loss import NEGATIVES, LanguageModelLoss
from textrnn.training.update.losses import BatchLoss
from textrnn.training.update.pure_update import values_of

__all__ = ["WithLanguageModel"]


class WithLanguageModel:
    """Computes the gradient of the objective plus a weighted language model loss.

    Args:
        model: The classifier, built.
        language_model_loss: The loss of the next tokens.
        loss: The classification loss, whose scale and mean both losses share.
    """

    row_specs: tuple[tf.TensorSpec, ...] = ()
    draw_specs: tuple[tf.TensorSpec, ...] = (
        tf.TensorSpec([NEGATIVES], tf.int32),
        tf.TensorSpec([NEGATIVES], tf.float32),
    )

    def __init__(
        self, model: TextClassifier, language_model_loss: LanguageModelLoss, *, loss: BatchLoss
    ) -> None:
        self._model = model
        self._language_model_loss = language_model_loss
        self._loss = loss

    @property
    def variables(self) -> list[Any]:
        """The model's trainable variables, then those of the language model's output layer."""
        return [*self._model.trainable_variables, *self._language_model_loss.variables]

    def draw(self, seed: Sequence[int]) -> tuple[np.ndarray, ...]:
        """Draws the negatives of one update and their offsets."""
        return self._language_model_loss.draw(seed[-1])

    def gradients(self, batch: MicroBatch) -> BatchGradient:
        """Computes the gradient; see `GradientSource`."""
        negatives, offsets = batch.draws
        values = values_of(self.variables)
        with tf.GradientTape() as tape:
            tape.watch(values)
            logits, language_loss_sum = self._language_model_loss.read(
                batch.ids, batch.counted, negatives=negatives, offsets=offsets
            )
            loss = batch.objective(tf.cast(logits, tf.float32))
            total = loss + self._loss.mean(language_loss_sum)
        return BatchGradient(tape.gradient(total, values), loss, logits)
