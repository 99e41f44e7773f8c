"""A batch whose embeddings are read several times, moved or not, with one noise."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from textrnn.layers.recurrence import batch_parts, cut_batch
from textrnn.models.classifier import TextClassifier
from textrnn.text.tokenizer import Tokenizer
from textrnn.training.update.gradient_sources.source import Objective
from textrnn.training.update.pure_update import values_of

__all__ = ["EmbeddedBatch"]


class EmbeddedBatch:
    """Embeds texts once, and reads the embeddings x, or x + r, several times with one noise.

    The batch is cut into parts for the cores of the CPU; a list of tensors has one per part.

    Args:
        model: The classifier, built.
        ids: `[B, T]`, padding at the right.
        random: Whether random directions are needed.

    Attributes:
        random: Random directions `[B, T, E]`, if they were asked for, else an empty list.
    """

    def __init__(self, model: TextClassifier, ids: tf.Tensor, *, random: bool) -> None:
        self._model = model
        parts = [part for (part,) in cut_batch([ids], parts=batch_parts(directions=1))]
        self._masks = [tf.not_equal(part, Tokenizer.PAD) for part in parts]
        table = model.embedding.embeddings
        self._upper_variables = [v for v in model.trainable_variables if v is not table]
        (self._table,) = values_of([table])
        with tf.GradientTape() as self._tape:
            self._tape.watch(self._table)
            self._embedded = [model.embed(part, training=True) for part in parts]
        self._norms = [
            _norm(tf.where(mask[:, :, tf.newaxis], tf.cast(part, tf.float32), 0.0))
            for part, mask in zip(self._embedded, self._masks, strict=True)
        ]
        # Drawn before the noise is recorded; otherwise the next batch would draw the same numbers.
        self.random: list[tf.Tensor] = []
        if random:
            seed = model.seed_generator
            self.random = [keras.random.normal(tf.shape(x), seed=seed) for x in self._embedded]
        generators = [v for v in model.non_trainable_variables if "seed_generator" in v.path]
        self._noise = [(generator, tf.identity(generator.value)) for generator in generators]
        self._upper_sums: list[Any] = [None] * len(self._upper_variables)
        self._slope_sums: list[Any] = [None] * len(self._embedded)

    def moves(self, directions: list[tf.Tensor], share: float) -> list[tf.Tensor]:
        """Returns r: each text's direction, scaled to a share of the norm of its embeddings.

        Args:
            directions: `[B, T, E]`; r is 0 where a text's direction is 0.
            share: The share of the norm.
        """
        moves = []
        for direction, mask, norm in zip(directions, self._masks, self._norms, strict=True):
            slope = tf.where(mask[:, :, tf.newaxis], tf.cast(direction, tf.float32), 0.0)
            # The squares of small numbers would underflow to zero.
            largest = tf.reduce_max(tf.abs(slope), axis=[1, 2], keepdims=True)
            slope = tf.math.divide_no_nan(slope, largest)
            r = share * norm * tf.math.divide_no_nan(slope, _norm(slope))
            moves.append(tf.stop_gradient(tf.cast(r, self._embedded[0].dtype)))
        return moves

    def logits(self, moves: list[tf.Tensor] | None = None) -> tf.Tensor:
        """Returns the logits `[B, C]` in float32 of x, or of x + r."""
        for generator, state in self._noise:
            generator.assign(state)
        parts = self._embedded
        if moves is not None:
            parts = [x + r for x, r in zip(parts, moves, strict=True)]
        logits = [
            self._model.logits_of(part, mask, training=True)
            for part, mask in zip(parts, self._masks, strict=True)
        ]
        return tf.cast(tf.concat(logits, axis=0), tf.float32)

    def slopes(self, objective: Objective, moves: list[tf.Tensor]) -> list[tf.Tensor]:
        """Returns the gradient by r of an objective of x + r."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(moves)
            value = objective(self.logits(moves))
        slopes: list[tf.Tensor] = tape.gradient(value, moves)
        return slopes

    def learn(
        self, objective: Objective, moves: list[tf.Tensor] | None = None
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Adds the gradient of an objective of x, or of x + r, to the sum.

        Returns:
            The logits, and the gradient of this objective by x.
        """
        values = values_of(self._upper_variables)
        with tf.GradientTape() as tape:
            tape.watch([*values, *self._embedded])
            logits = self.logits(moves)
            value = objective(logits)
        gradients, slopes = tape.gradient(value, [values, self._embedded])
        self._upper_sums = [_add(*pair) for pair in zip(self._upper_sums, gradients, strict=True)]
        self._slope_sums = [_add(*pair) for pair in zip(self._slope_sums, slopes, strict=True)]
        return logits, slopes

    def gradients(self) -> list[Any]:
        """Returns the summed gradient of each trainable variable."""
        table = self._tape.gradient(self._embedded, self._table, output_gradients=self._slope_sums)
        upper = zip(self._upper_variables, self._upper_sums, strict=True)
        by_variable = {id(variable): gradient for variable, gradient in upper}
        return [by_variable.get(id(v), table) for v in self._model.trainable_variables]


def _norm(values: tf.Tensor) -> tf.Tensor:
    """Returns the norm of each text: `[B, T, E]` to `[B, 1, 1]`."""
    return tf.sqrt(tf.reduce_sum(tf.square(values), axis=[1, 2], keepdims=True))


def _add(total: Any, value: Any) -> Any:
    return value if total is None else total + value
