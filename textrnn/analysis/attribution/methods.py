"""Five methods that attribute a logit to the tokens of one text."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from textrnn.analysis.attribution.ngrams import (
    NGramScore,
    hidden_scores,
    ngram_scores,
    token_shares,
)
from textrnn.config.choices import ATTRIBUTIONS
from textrnn.errors import ConfigError
from textrnn.layers.pooling import AttentionPooling, LastState, MaxPooling, MeanPooling
from textrnn.models.classifier import TextClassifier
from textrnn.text.tokenizer import Tokenizer

__all__ = ["METHODS", "PieceScores", "TokenScorer", "head_weights"]

METHODS = ATTRIBUTIONS

FIRST_STEPS = 16
MOST_STEPS = 1024
"""The number of steps of integrated gradients is doubled within these limits until the scores are
complete."""

TOLERANCE = 0.01
"""The completeness error that integrated gradients may leave."""

LEAST_DIFFERENCE = 0.1
"""The completeness error is relative to the difference of the logits, but at least to this."""

MOST_OCCLUSIONS = 512
"""The largest number of occlusions of a text; longer texts hide neighbouring words together."""

ROW_TOKENS = 16_384
"""The number of tokens that are computed at once."""


@dataclass(frozen=True)
class PieceScores:
    """The scores of the tokens of one text.

    Attributes:
        scores: `[T]`.
        logit: The label's logit for the text.
        offset: The part of the logit that the scores do not include: a complete method has
            `logit = offset + sum(scores)`. None for a method that is not complete.
        warning: A sentence about a limitation of the scores; None if there is none.
        ngrams: The contributions of n-grams, which the scores of their tokens include.
    """

    scores: np.ndarray
    logit: float
    offset: float | None
    warning: str | None = None
    ngrams: tuple[NGramScore, ...] = ()

    @property
    def completeness_error(self) -> float | None:
        """`|offset + sum(scores) - logit|`, relative to `|logit - offset|`; see `TOLERANCE`."""
        if self.offset is None:
            return None
        difference = self.logit - self.offset
        missing = abs(float(np.sum(self.scores, dtype=np.float64)) - difference)
        return missing / max(abs(difference), LEAST_DIFFERENCE)


class TokenScorer:
    """Attributes the logits of one model to tokens; traces its graphs once for all texts.

    The baseline b replaces the vector of a token that is hidden. It is the vector of the unknown
    token if the model was trained with `word_dropout`, which hides words in this way, else zeros.

    Args:
        model: The model.
    """

    def __init__(self, model: TextClassifier) -> None:
        self.model = model
        row = model.embedding(tf.constant([[Tokenizer.UNK]]))[0, 0]  # [E]
        self.baseline = row if model.config.word_rate else tf.zeros_like(row)
        vectors = tf.TensorSpec([None, None, model.config.embedding_units], row.dtype)
        mask = tf.TensorSpec([None, None], tf.bool)
        target = tf.TensorSpec([], tf.int32)

        @tf.function(input_signature=[vectors, mask], autograph=False)
        def logits(vectors: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
            return tf.cast(model.logits_of(vectors, mask), tf.float32)

        @tf.function(input_signature=[vectors, mask, target], autograph=False)
        def gradient(
            vectors: tf.Tensor, mask: tf.Tensor, target: tf.Tensor
        ) -> tuple[tf.Tensor, tf.Tensor]:
            with tf.GradientTape() as tape:
                tape.watch(vectors)
                logit = tf.cast(model.logits_of(vectors, mask), tf.float32)[:, target]
            return logit, tf.cast(tape.gradient(logit, vectors), tf.float32)

        self._logits, self._gradient = logits, gradient
        self._methods: dict[str, Callable[[tf.Tensor, int], PieceScores]] = {
            "integrated-gradients": self._integrated_gradients,
            "gradient": self._gradient_times_input,
            "head": self._head,
            "additive": self._additive,
        }

    def scores(
        self,
        ids: Sequence[int] | np.ndarray,
        *,
        target: int,
        method: str = "integrated-gradients",
        groups: Sequence[tuple[int, int]] | None = None,
    ) -> PieceScores:
        """Returns what each token of a text contributes to one logit z.

        With the vector x_t of token t and the baseline b the score is:

            integrated-gradients  (x_t - b) . integral over a in 0 .. 1 of dz/dx_t(b + a (x - b))
            occlusion             z(x) - z(x with b for x_t)
            gradient              (x_t - b) . dz/dx_t
            head                  alpha_t, the weight of state t in the pooled vector
            additive              alpha_t w . h_t, so that z = sum + bias

        Integrated gradients are due to Sundararajan et al. 2017, "Axiomatic Attribution for Deep
        Networks". Their sum is z(x) - z(b); the steps of the integral are doubled until the sum is
        correct within 1 %. alpha_t is the weight of attention pooling, 1/T for mean pooling, the
        share of the units whose maximum is at t for max pooling, and 1 at the last step for the
        last state. `additive` works for mean, attention and, per unit, max pooling. A state depends
        on more than its own token.

        Args:
            ids: `[T]`; padding scores 0.
            target: The place of the label.
            method: One of `METHODS`.
            groups: The tokens that occlusion hides together: the place of the first, and the place
                after the last, of each group. They share the score. None hides each token alone.

        Raises:
            ConfigError: The method is unknown or does not work for the pooling head of the model.
        """
        self._check(method)
        row = np.asarray(ids, np.int32)
        real = row != Tokenizer.PAD
        if not real.all():
            if groups is not None:
                raise ConfigError("expected no padding among the ids of `groups`, got some.")
            unpadded = self.scores(row[real], target=target, method=method)
            scores = np.zeros(len(row), np.float32)
            scores[real] = unpadded.scores
            return dataclasses.replace(unpadded, scores=scores)
        if not len(row):
            return self._empty(target)
        vectors = self.model.embedding(tf.constant(row[np.newaxis]))  # [1, T, E]
        ngrams = ngram_scores(self.model, row, target=target)
        if method == "occlusion":
            groups = groups or [(i, i + 1) for i in range(len(row))]
            result = self._occlusion(vectors, target, groups, ngrams)
        else:
            result = self._methods[method](vectors, target)
        return self._with_ngrams(result, ngrams, target=target, method=method)

    def _with_ngrams(
        self,
        result: PieceScores,
        ngrams: tuple[NGramScore, ...],
        *,
        target: int,
        method: str,
    ) -> PieceScores:
        """Adds the contributions of n-grams to the scores of the recurrence."""
        if self.model.ngrams is None:
            return result
        bias = float(self.model.ngrams.bias.numpy()[target])
        scores = result.scores
        if method not in ("head", "occlusion"):
            scores = scores + token_shares(ngrams, len(scores)).astype(scores.dtype)
        return dataclasses.replace(
            result,
            scores=scores,
            logit=result.logit + bias + sum(score for _, _, score in ngrams),
            offset=None if result.offset is None else result.offset + bias,
            ngrams=ngrams,
        )

    def _check(self, method: str) -> None:
        """Raises ConfigError if a method is unknown or does not work for this model."""
        if method not in METHODS:
            raise ConfigError(f"`method` must be one of {', '.join(METHODS)}, got {method!r}.")
        if method == "additive" and isinstance(self.model.pooling, LastState):
            raise ConfigError(
                "expected a pooling head that sums over the states for the method additive, got "
                "the head last, which uses the last state alone; use integrated-gradients, or "
                "train with the head attention."
            )

    def _empty(self, target: int) -> PieceScores:
        """Returns the scores of a text without tokens."""
        vectors = tf.zeros([1, 1, self.model.config.embedding_units], self.baseline.dtype)
        logit = self._logits(vectors, tf.zeros([1, 1], tf.bool))[0, target]
        empty = PieceScores(np.zeros(0, np.float32), float(logit), None, "the text is empty.")
        return self._with_ngrams(empty, (), target=target, method="head")

    def _integrated_gradients(self, vectors: tf.Tensor, target: int) -> PieceScores:
        """Computes the integral by the midpoint rule."""
        difference = vectors - self.baseline
        logits = self._logits(
            tf.concat([vectors, vectors - difference], axis=0), _all_true(vectors, 2)
        )[:, target]
        logit, offset = float(logits[0]), float(logits[1])
        steps = FIRST_STEPS
        while True:
            shares = (np.arange(steps) + 0.5) / steps
            total = tf.zeros_like(vectors[0], tf.float32)
            rows = max(1, ROW_TOKENS // vectors.shape[1])
            for start in range(0, steps, rows):
                part = tf.constant(shares[start : start + rows], vectors.dtype)
                points = self.baseline + part[:, tf.newaxis, tf.newaxis] * difference
                _, gradients = self._gradient(points, _all_true(points), target)
                total += tf.reduce_sum(gradients, axis=0)
            mean = total / steps
            scores = tf.reduce_sum(tf.cast(difference[0], tf.float32) * mean, axis=-1).numpy()
            result = PieceScores(scores, logit, offset)
            error = result.completeness_error or 0.0
            if error <= TOLERANCE:
                return result
            if steps >= MOST_STEPS:
                warning = (
                    f"the sum of the scores differs from the difference of the logits by "
                    f"{error:.1%} after {steps} steps: the gradient of this model changes too "
                    "quickly for integrated gradients on this text."
                )
                return PieceScores(scores, logit, offset, warning)
            steps *= 2

    def _gradient_times_input(self, vectors: tf.Tensor, target: int) -> PieceScores:
        logit, gradient = self._gradient(vectors, _all_true(vectors), target)
        difference = tf.cast(vectors - self.baseline, tf.float32)
        scores = tf.reduce_sum(difference * gradient, axis=-1)[0].numpy()
        return PieceScores(scores, float(logit[0]), None)

    def _occlusion(
        self,
        vectors: tf.Tensor,
        target: int,
        groups: Sequence[tuple[int, int]],
        ngrams: Sequence[NGramScore],
    ) -> PieceScores:
        warning, together = None, -(-len(groups) // MOST_OCCLUSIONS)
        if together > 1:
            warning = (
                f"the text is long: {together} words at a time were hidden, and share a score."
            )
            joined = [groups[i : i + together] for i in range(0, len(groups), together)]
            groups = [(part[0][0], part[-1][1]) for part in joined]
        steps = int(vectors.shape[1])
        hidden = np.zeros([len(groups) + 1, steps], bool)  # The last row hides no token.
        for row, (first, stop) in zip(hidden, groups, strict=False):
            row[first:stop] = True
        rows, logits = max(1, ROW_TOKENS // steps), []
        for start in range(0, len(hidden), rows):
            part = tf.constant(hidden[start : start + rows])[:, :, tf.newaxis]
            points = tf.where(part, self.baseline, vectors)
            logits.append(self._logits(points, _all_true(points))[:, target].numpy())
        *without, logit = np.concatenate(logits).tolist()
        scores = np.zeros(steps, np.float32)
        lost = hidden_scores(ngrams, groups, steps)
        for (first, stop), logit_without, in_ngrams in zip(groups, without, lost, strict=True):
            scores[first:stop] = (logit - logit_without + in_ngrams) / (stop - first)
        return PieceScores(scores, logit, None, warning)

    def _head(self, vectors: tf.Tensor, target: int) -> PieceScores:
        states, logit = self._states(vectors, target)
        weights = head_weights(self.model, states)  # [T', H]
        return PieceScores(self._to_tokens(weights.mean(axis=1), vectors), logit, None)

    def _additive(self, vectors: tf.Tensor, target: int) -> PieceScores:
        states, logit = self._states(vectors, target)
        kernel, bias = (np.asarray(w, np.float64) for w in self.model.classify.weights)
        weights = head_weights(self.model, states)
        parts = (weights * states[0].numpy().astype(np.float64)) @ kernel[:, target]
        return PieceScores(self._to_tokens(parts, vectors), logit, float(bias[target]))

    def _states(self, vectors: tf.Tensor, target: int) -> tuple[tf.Tensor, float]:
        """Returns the states `[1, T', H]` that are pooled, and the logit."""
        mask, states = _all_true(vectors), vectors
        if self.model.stack is not None:
            states, _ = self.model.stack(vectors, mask=mask)
        return states, float(self._logits(vectors, mask)[0, target])

    def _to_tokens(self, parts: np.ndarray, vectors: tf.Tensor) -> np.ndarray:
        """Spreads the scores of states, `[T']`, over their tokens, `[T]`.

        A state of a pyramid belongs to several tokens, which share its score.
        """
        steps = int(vectors.shape[1])
        share = -(-steps // len(parts))
        if self.model.config.pyramid:
            share = 2 ** (self.model.config.layers - 1)
        owners = np.arange(steps) // share
        return (parts / np.bincount(owners, minlength=len(parts)))[owners]


def head_weights(model: TextClassifier, states: tf.Tensor) -> np.ndarray:
    """Returns the weight of each unit of each state in the pooled vector, `[T, H]`.

    The weights of each unit sum to 1 over time; the pooled vector is the weighted sum of states.

    Args:
        model: The model.
        states: `[1, T, H]`.
    """
    _, steps, units = states.shape
    weights = np.zeros([steps, units])
    pooling = model.pooling
    if isinstance(pooling, MeanPooling):
        weights[:] = 1.0 / steps
    elif isinstance(pooling, AttentionPooling):
        weights[:] = pooling.weights_of(states)[0].numpy()[:, np.newaxis]
    elif isinstance(pooling, MaxPooling):
        weights[tf.argmax(states[0], axis=0).numpy(), np.arange(units)] = 1.0
    elif isinstance(pooling, LastState):
        half = units // 2 if pooling.bidirectional else units
        weights[-1, :half] = 1.0
        weights[0, half:] = 1.0
    else:
        raise NotImplementedError(
            f"{type(pooling).__name__} must have its weights of the states in `head_weights`."
        )
    return weights


def _all_true(vectors: tf.Tensor, rows: int | None = None) -> tf.Tensor:
    return tf.ones([rows or tf.shape(vectors)[0], tf.shape(vectors)[1]], tf.bool)
