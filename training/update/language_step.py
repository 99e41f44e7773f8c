"""One update of a language model."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from textrnn.models.language_model import LanguageModel
from textrnn.training.update.lazy_adam import unique_rows
from textrnn.training.update.losses import LOSS_SCALE, clipped

__all__ = ["LanguageStep"]


class LanguageStep:
    """Computes the gradient of a segment of the streams, applies it, and keeps the states.

    Truncated back-propagation through time (Williams & Peng 1990): gradients stop at the segment's
    beginning, states go on. The loss is the mean over tokens and directions. Both directions have
    the same size, so that two cores compute them side by side.

    Args:
        model: Built.
        optimizer: Built.
        streams: R.
        segment: K.
        sampled: Whether negatives are drawn.
        clip_norm: Largest global norm of the gradient; 0: any.
        precision: Of the products.
    """

    def __init__(
        self,
        model: LanguageModel,
        optimizer: keras.optimizers.Optimizer,
        *,
        streams: int,
        segment: int,
        sampled: bool,
        clip_norm: float,
        precision: str,
    ) -> None:
        self._model, self._optimizer = model, optimizer
        self._sampled, self._clip_norm = sampled, clip_norm
        self._scale = LOSS_SCALE if precision == "float16" else 1.0
        self._forms = [model.start(streams, direction=d) for d in range(model.directions)]
        # In float32, as NumPy's files know no bfloat16, and a checkpoint keeps them.
        self.memory = [
            [
                tf.Variable(tf.cast(tensor, tf.float32), trainable=False)
                for tensor in tf.nest.flatten(form)
            ]
            for form in self._forms
        ]
        self._run = tf.function(
            self._update,
            input_signature=(
                tf.TensorSpec([model.directions, streams, segment + 1], tf.int32),
                tf.TensorSpec([None], tf.int32),
                tf.TensorSpec([None], tf.float32),
            ),
        )

    def __call__(self, ids: np.ndarray, negatives: tuple[np.ndarray, np.ndarray]) -> tf.Tensor:
        """One update.

        Args:
            ids: `[D, R, K + 1]`, which go on from those of the update before.
            negatives: From `Negatives.draw`.

        Returns:
            The mean loss, in nats a token, and the gradient's norm: `[2]`, not waited for.
        """
        return self._run(tf.constant(ids), *map(tf.constant, negatives))

    def forget(self) -> None:
        """What is read next does not go on from what was read last."""
        for variables, form in zip(self.memory, self._forms, strict=True):
            for variable, tensor in zip(variables, tf.nest.flatten(form), strict=True):
                variable.assign(tf.cast(tensor, variable.dtype))

    def _update(self, ids: tf.Tensor, drawn: tf.Tensor, offsets: tf.Tensor) -> tf.Tensor:
        variables = self._model.trainable_variables
        with tf.GradientTape() as tape:
            losses, after = [], []
            for direction, form in enumerate(self._forms):
                kept = zip(self.memory[direction], tf.nest.flatten(form), strict=True)
                before = tf.nest.pack_sequence_as(
                    form, [tf.cast(variable.value(), tensor.dtype) for variable, tensor in kept]
                )
                loss, memory = self._loss(before, ids[direction], (drawn, offsets), direction)
                losses.append(loss)
                after.append(tf.nest.flatten(memory))
            loss = tf.add_n(losses) / len(losses)
            scaled = self._scale * loss
        gradients: list[Any] = tape.gradient(scaled, variables)
        gradients = [unique_rows(gradient) for gradient in gradients]
        gradients, norm = clipped(gradients, self._clip_norm, scale=self._scale)
        self._optimizer.apply(gradients, variables)
        for own, new in zip(self.memory, after, strict=True):
            for variable, tensor in zip(own, new, strict=True):
                variable.assign(tf.cast(tensor, variable.dtype))
        return tf.stack([loss, norm])

    def _loss(
        self, memory: Any, ids: tf.Tensor, negatives: tuple[tf.Tensor, tf.Tensor], direction: int
    ) -> tuple[tf.Tensor, Any]:
        vectors, memory = self._model.read(memory, ids[:, :-1], direction=direction, training=True)
        targets = ids[:, 1:]
        if self._sampled:
            losses = self._model.sampled_losses(vectors, targets, *negatives)
        else:
            losses = self._model.losses(vectors, targets)
        return tf.reduce_mean(losses), memory
