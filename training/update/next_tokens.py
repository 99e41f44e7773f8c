"""The language model's loss beside the classifier's, so that what it knew is not forgotten."""

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

__all__ = ["NextTokens"]

DRAWN = 512
"""S, tokens that each next one is told from."""

NEVER = -1e30
"""The logarithm of no chance at all."""


class NextTokens:
    """Asks a classifier's states for the next token too, as the language model did.

        L + gamma L_LM,   L_LM = mean over t and both directions of -ln p(x_{t+1} | x_1 .. x_t)

    of each labelled text (Chronopoulou et al. 2019, "An Embarrassingly Simple Approach for Transfer
    Learning from Pretrained Language Models"). p is that of `LanguageModel`, by the classifier's
    own embeddings; its projections P, d and its bias b learn on with them, and are dropped at the
    end. What word dropout hides is still to be told. A text of one token counts 0.

    Args:
        model: Built; it has begun with a language model's weights.
        weight: gamma.
        texts: The ids that tokens are drawn by, as often as they occur.
        seed: Of the draws.
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
        self._negatives = Negatives(counts, size=DRAWN, seed=seed)

    @property
    def variables(self) -> list[Any]:
        """What learns beside the classifier."""
        weights = [v for projection in self._projections for v in projection.trainable_variables]
        return [*weights, self._bias]

    def take_over(self, trained: LanguageModel) -> None:
        """Begins with what a language model has."""
        for own, projection in zip(self._projections, trained.projections, strict=False):
            own.set_weights(projection.get_weights())
        self._bias.assign(trained.output_bias)

    def draw(self, update: int) -> tuple[np.ndarray, np.ndarray]:
        """n `[S]` and their offsets of one update, always as many; see `sampled_losses`."""
        drawn, offsets = self._negatives.draw(update)
        missing = DRAWN - len(drawn)
        return np.pad(drawn, [0, missing]), np.pad(offsets, [0, missing], constant_values=NEVER)

    def read(
        self, ids: tf.Tensor, counted: tf.Tensor, drawn: tf.Tensor, offsets: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Reads texts in training.

        Args:
            ids: `[B, T]`, padding at the right.
            counted: `[B]`, 0 for a row that only fills the shape, else 1.
            drawn: From `draw`.
            offsets: The same.

        Returns:
            Their logits `[B, C]`, and gamma times the sum of the texts' L_LM.
        """
        logits, losses = [], []
        for part, rows in cut_batch([ids, counted], parts=batch_parts(directions=1)):
            mask = tf.not_equal(part, Tokenizer.PAD)
            embedded = self._model.embed(part, training=True)
            states, mask = self._model.states_of(embedded, mask, training=True)
            logits.append(self._model.decide(states, mask, training=True))
            losses.append(tf.reduce_sum(rows * self._losses(part, states, drawn, offsets)))
        return tf.concat(logits, axis=0), self._weight * tf.add_n(losses)

    def _losses(
        self, ids: tf.Tensor, states: tf.Tensor, drawn: tf.Tensor, offsets: tf.Tensor
    ) -> tf.Tensor:
        """L_LM `[B]` of texts by their states `[B, T, D H]`."""
        found = []
        for i, (projection, own) in enumerate(
            zip(self._projections, tf.split(states, len(self._projections), axis=-1), strict=True)
        ):
            # A state tells the token that its direction reads next; there is none at the end.
            own, targets = (own[:, 1:], ids[:, :-1]) if i else (own[:, :-1], ids[:, 1:])
            losses = sampled_losses(
                projection(own),
                targets,
                drawn,
                offsets,
                embedding=self._model.embedding,
                bias=self._bias.value,
            )
            # Of a token and its neighbour, the second one is padding first.
            real = tf.cast(tf.not_equal(ids[:, 1:], Tokenizer.PAD), tf.float32)
            total = tf.reduce_sum(real * losses, axis=1)
            found.append(tf.math.divide_no_nan(total, tf.reduce_sum(real, axis=1)))
        return tf.add_n(found) / len(found)
