"""The loss of predicting the bag of the next content words, beside the next token."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from textrnn.models.language_model import BETWEEN, LanguageModel
from textrnn.models.sampled_softmax import sampled_losses

__all__ = ["BagLoss", "content_weights"]

CONTENT_SHARE = 1e-4
"""The share of all tokens up to which a token counts fully as a content word."""


def content_weights(counts: np.ndarray) -> np.ndarray:
    """Returns the weight `[V]` of each token in a bag: `min(1, sqrt(1e-4 / share))`.

    The share is that of all tokens. So a word such as "the" hardly counts (Mikolov et al. 2013,
    "Distributed Representations of Words and Phrases and their Compositionality"). What stands
    between texts has the weight 0.

    >>> content_weights(np.array([5, 989_996, 9_999, 0])).round(2)
    array([0.  , 0.01, 0.1 , 1.  ], dtype=float32)

    Args:
        counts: `[V]`, the count of each token.
    """
    shares = counts / max(counts.sum(), 1)
    weights = np.minimum(1.0, np.sqrt(CONTENT_SHARE / np.maximum(shares, CONTENT_SHARE)))
    weights[BETWEEN] = 0.0
    return np.asarray(weights, np.float32)


class BagLoss:
    """The mean loss of the next N tokens, in any order, by the words that have a content.

        L = sum_{t, n <= N} a(x_{t+n}) (-ln q(x_{t+n} | x_1 .. x_t)) / sum_{t, n <= N} a(x_{t+n})
        q(v | x_1 .. x_t) = softmax_v(e_v . u_t + f_v),   u_t = h_t Q + g

    a is the weight of `content_weights`; tokens of the next text do not count. The bag of the next
    words depends less on syntax than the next token, and more on what the text is about (Johnson
    & Zhang 2016, "Supervised and Semi-Supervised Text Categorization using LSTM for Region
    Embeddings", whose tv-embeddings are trained with a square loss). h and e are those of the
    language model; Q, g and f are trained with it and dropped at the end of the training.

    Args:
        model: The language model, built.
        counts: `[V]`, the count of each token.
        tokens: N.
    """

    def __init__(self, model: LanguageModel, *, counts: np.ndarray, tokens: int) -> None:
        self.tokens = tokens
        self._embedding = model.embedding
        self._weights = tf.constant(content_weights(counts))
        self._projections = [
            keras.layers.Dense(
                model.config.embedding_units, dtype=model.dtype_policy, name=f"bag_{direction}"
            )
            for direction in range(model.directions)
        ]
        for projection, stack in zip(self._projections, model.stacks, strict=True):
            projection.build((None, None, stack.state_units))
        self._bias = keras.Variable(np.zeros(model.vocab_size, np.float32), name="bag_bias")

    @property
    def variables(self) -> list[Any]:
        """The variables that are trained in addition to the language model's."""
        weights = [v for projection in self._projections for v in projection.trainable_variables]
        return [*weights, self._bias]

    def of(
        self,
        states: tf.Tensor,
        following: tf.Tensor,
        negatives: tuple[tf.Tensor, tf.Tensor],
        *,
        direction: int,
    ) -> tf.Tensor:
        """Returns the loss in nats a content word.

        Args:
            states: h `[R, K, H]`.
            following: `[R, K + N - 1]`, the tokens after each state, and N - 1 more.
            negatives: As for `sampled_losses`.
            direction: The direction that the states are of.
        """
        steps = states.shape[1]
        targets = tf.stack([following[:, n : n + steps] for n in range(self.tokens)], axis=2)
        same_text = tf.math.cumprod(tf.cast(tf.not_equal(targets, BETWEEN), tf.float32), axis=2)
        weights = same_text * tf.gather(self._weights, targets)  # [R, K, N]
        losses = sampled_losses(
            self._projections[direction](states),
            targets,
            *negatives,
            embedding=self._embedding,
            bias=self._bias.value,
        )
        return tf.math.divide_no_nan(tf.reduce_sum(weights * losses), tf.reduce_sum(weights))
