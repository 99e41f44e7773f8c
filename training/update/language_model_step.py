"""One update of a language model."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from textrnn.config.language_model import LanguageModelRunConfig
from textrnn.layers.recurrence import compiled
from textrnn.models.language_model import LanguageModel
from textrnn.training.update.bag_loss import BagLoss
from textrnn.training.update.clipping import clip_gradients
from textrnn.training.update.losses import loss_scale
from textrnn.training.update.pure_update import values_of
from textrnn.training.update.row_gradients import row_gradient, unique_rows

__all__ = ["LanguageModelStep"]


class LanguageModelStep:
    """Computes the gradient of one segment of all streams, applies it, and keeps the states.

    Truncated back-propagation through time (Williams & Peng 1990): gradients stop at the beginning
    of the segment, and states continue from segment to segment. The loss is the mean over tokens
    and directions; with a bag it is 1 - beta times that, and beta times the loss of the bag. Both
    directions have the same size, so that two cores compute them side by side.

    Args:
        model: The language model, built.
        optimizer: Its optimizer, built.
        config: The settings.
        streams: R, the number of streams.
        segment: K, the number of tokens per segment.
        bag: The loss of the bag of the next words; None without it.

    Attributes:
        jit: Whether XLA compiles the update; see `compile`.
        stream_states: One list of variables per direction, the states after the last segment.
    """

    def __init__(
        self,
        model: LanguageModel,
        optimizer: keras.optimizers.Optimizer,
        *,
        config: LanguageModelRunConfig,
        streams: int,
        segment: int,
        bag: BagLoss | None = None,
    ) -> None:
        self._model, self._optimizer, self._bag = model, optimizer, bag
        self._bag_weight = config.objective.bag_weight
        self._sampled, self._clip_norm = config.batches.negatives > 0, config.optimizer.clip_norm
        self._scale = loss_scale(config.runtime.precision)
        self._start_states = [model.start(streams, direction=d) for d in range(model.directions)]
        # Checkpoints hold them as NumPy arrays, which have no bfloat16, so they are float32.
        self.stream_states = [
            [
                keras.Variable(tf.cast(tensor, tf.float32), trainable=False, dtype="float32")
                for tensor in tf.nest.flatten(start)
            ]
            for start in self._start_states
        ]
        self._segment = segment
        self._ids_shape = [model.directions, streams, segment + (1 if bag is None else bag.tokens)]
        self.compile(jit=False)

    @property
    def variables(self) -> list[Any]:
        """The variables that an update changes: the model's, then those of the bag's loss."""
        return [*self._model.trainable_variables, *(self._bag.variables if self._bag else ())]

    def compile(self, *, jit: bool) -> None:
        """Chooses whether XLA compiles the update.

        Args:
            jit: Whether it does. The negatives must then have the same number in each update; see
                `Negatives.draw_filled`.
        """
        self.jit = jit
        self._run = tf.function(
            self.update,
            input_signature=(
                tf.TensorSpec(self._ids_shape, tf.int32),
                tf.TensorSpec([None], tf.int32),
                tf.TensorSpec([None], tf.float32),
            ),
            jit_compile=jit or None,
            autograph=False,
        )

    def __call__(self, ids: np.ndarray, negatives: tuple[np.ndarray, np.ndarray]) -> tf.Tensor:
        """Makes one update.

        Args:
            ids: `[D, R, K + 1]`, which continue those of the update before; with a bag of N tokens
                `[D, R, K + N]`.
            negatives: The result of `Negatives.draw`.

        Returns:
            The loss in nats a token and the norm of the gradient, `[2]`, without waiting for
            them.
        """
        return self._run(tf.constant(ids), *map(tf.constant, negatives))

    def reset_states(self) -> None:
        """Sets the states to those of a stream that has read nothing."""
        for variables, start in zip(self.stream_states, self._start_states, strict=True):
            for variable, tensor in zip(variables, tf.nest.flatten(start), strict=True):
                variable.assign(tf.cast(tensor, variable.dtype))

    def update(self, ids: tf.Tensor, negatives: tf.Tensor, offsets: tf.Tensor) -> tf.Tensor:
        """Makes one update; see the call."""
        with compiled(self.jit):
            return self._update(ids, negatives, offsets)

    def _update(self, ids: tf.Tensor, negatives: tf.Tensor, offsets: tf.Tensor) -> tf.Tensor:
        variables = self.variables
        values = values_of(variables)
        with tf.GradientTape() as tape:
            tape.watch(values)
            losses, states_after = [], []
            for direction in range(self._model.directions):
                loss, states = self._direction_loss(
                    ids[direction], (negatives, offsets), direction=direction
                )
                losses.append(loss)
                states_after.append(tf.nest.flatten(states))
            loss = tf.add_n(losses) / len(losses)
            scaled = self._scale * loss
        gradients: list[Any] = tape.gradient(scaled, values)
        if self.jit:
            pairs = zip(gradients, variables, strict=True)
            gradients = [row_gradient(gradient, variable.shape[0]) for gradient, variable in pairs]
        else:
            gradients = [unique_rows(gradient) for gradient in gradients]
        gradients, norm = clip_gradients(gradients, self._clip_norm, scale=self._scale)
        self._optimizer.apply(gradients, variables)
        for stored, after in zip(self.stream_states, states_after, strict=True):
            for variable, tensor in zip(stored, after, strict=True):
                variable.assign(tf.cast(tensor, variable.dtype))
        return tf.stack([loss, norm])

    def _direction_loss(
        self, ids: tf.Tensor, negatives: tuple[tf.Tensor, tf.Tensor], *, direction: int
    ) -> tuple[tf.Tensor, Any]:
        """Returns the loss of one direction `[R, K + N]`, and its states after the segment."""
        start = self._start_states[direction]
        stored = zip(self.stream_states[direction], tf.nest.flatten(start), strict=True)
        memory = tf.nest.pack_sequence_as(
            start, [tf.cast(variable.value, tensor.dtype) for variable, tensor in stored]
        )
        inputs, following = ids[:, : self._segment], ids[:, 1:]
        states, memory = self._model.states(memory, inputs, direction=direction, training=True)
        vectors, targets = self._model.projections[direction](states), following[:, : self._segment]
        if self._sampled:
            losses = self._model.sampled_losses(vectors, targets, *negatives)
        else:
            losses = self._model.losses(vectors, targets)
        loss = tf.reduce_mean(losses)
        if self._bag is not None:
            bag_loss = self._bag.of(states, following, negatives, direction=direction)
            loss = (1.0 - self._bag_weight) * loss + self._bag_weight * bag_loss
        return loss, memory
