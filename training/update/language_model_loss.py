"""A language model's loss for a classifier, which then forgets less of its language model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from textrnn.layers.recurrence import batch_parts, cut_batch
from textrnn.models.classifier import TextClassifier
from textrnn.models.language_model import LanguageModel
from textrnn.models.sampled_softmax import sampled_losses
from textrnn.text.tokenizer import Tokenizer
from textrnn.training.update.negatives import Negatives

__all__ = ["NEGATIVES", "LanguageModelLoss"]

NEGATIVES = 512
"""S, the number of negatives drawn for an update."""


class LanguageModelLoss:
    """The loss of predicting the next token from a classifier's states.

        L + gamma L_LM,   L_LM = mean over t and both directions of -ln p(x_{t+1} | x_1 .. x_t)

    of each labelled text (Chronopoulou et al. 2019, "An Embarrassingly Simple Approach for Transfer
    Learning from Pretrained Language Models"). p is that of `LanguageModel`, computed with the
    classifier's embeddings. The projections P, d and the bias b are trained with the classifier and
    dropped at the end of the training. The targets are the tokens before word dropout. The loss of
    a text of one token is 0.

    Args:
        model: The classifier, built; it starts from a language model's weights.
        weight: gamma.
        texts: The ids of the texts, whose token counts are the distribution of the negatives.
        seed: The seed of the draws.
    """

    def __init__(
        self, model: TextClassifier, *, weight: float, texts: Sequence[np.ndarray], seed: int
    ) -> None:
        self._model, self._weight = model, weight
        config, dtype = model.config, model.dtype_policy
        names = ("forward", "backward") if config.bidirectional else ("forward",)
        self._projections = [
            keras.layers.Dense(config.embedding_units, dtype=dtype, name=f"{name}_projection")
            for name in names
        ]
        for projection in self._projections:
            projection.build((None, None, config.units))
        self._bias = keras.Variable(np.zeros(model.vocab_size, np.float32), name="output_bias")
        counts = np.bincount(np.concatenate([*texts, [0]]), minlength=model.vocab_size)
        self._negatives = Negatives(counts, size=NEGATIVES, seed=seed)

    @property
    def variables(self) -> list[Any]:
        """The variables that are trained in addition to the classifier's."""
        weights = [v for projection in self._projections for v in projection.trainable_variables]
        return [*weights, self._bias]

    def take_over(self, trained: LanguageModel) -> None:
        """Copies the output layer of a language model."""
        for projection, source in zip(self._projections, trained.projections, strict=False):
            projection.set_weights(source.get_weights())
        self._bias.assign(trained.output_bias)

    def draw(self, update: int) -> tuple[np.ndarray, np.ndarray]:
        """Draws the negatives `[S]` of one update, and their offsets `[S]`.

        Duplicates are merged as `sampled_losses` needs them; fillers keep the size constant.
        """
        return self._negatives.draw_filled(update)

    def read(
        self, ids: tf.Tensor, counted: tf.Tensor, *, negatives: tf.Tensor, offsets: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Reads texts in training.

        Args:
            ids: `[B, T]`, padding at the right.
            counted: `[B]`, 0 for a filler row, else 1.
            negatives: `[S]`, from `draw`.
            offsets: `[S]`, from `draw`.

        Returns:
            The logits `[B, C]` of the texts, and gamma times the sum of their losses.
        """
        logits, losses = [], []
        for part, rows in cut_batch([ids, counted], parts=batch_parts(directions=1)):
            mask = tf.not_equal(part, Tokenizer.PAD)
            embedded = self._model.embed(part, training=True)
            states, mask = self._model.states_of(embedded, mask, training=True)
            logits.append(self._model.decide(states, mask, training=True))
            text_losses = self._losses(part, states, negatives=negatives, offsets=offsets)
            losses.append(tf.reduce_sum(rows * text_losses))
        return tf.concat(logits, axis=0), self._weight * tf.add_n(losses)

    def _losses(
        self, ids: tf.Tensor, states: tf.Tensor, *, negatives: tf.Tensor, offsets: tf.Tensor
    ) -> tf.Tensor:
        """Returns the losses `[B]` of texts, given their states `[B, T, D H]`."""
        directions = tf.split(states, len(self._projections), axis=-1)
        text_losses = []
        for backward, (projection, direction) in enumerate(
            zip(self._projections, directions, strict=True)
        ):
            # A state predicts the token that its direction reads next; the last state has none.
            if backward:
                direction, targets = direction[:, 1:], ids[:, :-1]
            else:
                direction, targets = direction[:, :-1], ids[:, 1:]
            losses = sampled_losses(
                projection(direction),
                targets,
                negatives,
                offsets,
                embedding=self._model.embedding,
                bias=self._bias.value,
            )
            # Padding is at the right, so the second token of a pair tells whether both are real.
            real = tf.cast(tf.not_equal(ids[:, 1:], Tokenizer.PAD), tf.float32)
            total = tf.reduce_sum(real * losses, axis=1)
            text_losses.append(tf.math.divide_no_nan(total, tf.reduce_sum(real, axis=1)))
        return tf.add_n(text_losses) / len(text_losses)
