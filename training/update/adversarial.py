"""Adversarial and virtual adversarial training on embeddings, and entropy minimisation.

A text's embeddings x `[T, E]` are moved by a small r in the direction that hurts the most, and what
is asked of x is asked of x + r too. With |.| the norm over all of a text's T E numbers:

    adversarial          L(x) + lambda L(x + r),               g = d L(x) / dx
    virtual adversarial  L(x) + lambda KL(p(x) || p(x + r)),   g = d KL(p(x) || p(x + u)) / du
                         with u = eps |x| d / |d|,  d ~ N(0, 1): one step of power iteration
    both                 r = eps |x| g / |g|
    entropy              + mu H(p(x)),   H(p) = - sum_c p_c log p_c

(Miyato, Dai & Goodfellow 2017, "Adversarial Training Methods for Semi-Supervised Text
Classification"; Grandvalet & Bengio 2005, "Semi-supervised Learning by Entropy Minimization"). r,
g, |x| and the first p of KL count as constants. KL and H need no label: they are means over the
labelled texts and, where there are any, the unlabelled ones. Multi-label, they are those of each
label's Bernoulli distribution, and the mean over the labels, as L is. With both an entropy and an
adversarial part, g is the slope of L + mu H.

Miyato et al. normalise their embeddings, so that the model cannot escape r by making them larger.
Here r is measured by |x| itself: eps is the share of a text's norm that it is moved by, whatever T,
E, the embeddings' scale and the other texts of the batch. Of theirs, 5 at E = 256 and some 240
tokens of unit variance, it is 5 / sqrt(240 * 256) = 0.02.

x has gone through word dropout and the embeddings' dropout, and all readings of a text have the
same noise, there and above. So g is the slope of the very function that r is added to, and p(x) and
p(x + r) differ by r alone: with eps = 0 their divergence is 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.layers.recurrence import batch_parts, cut_batch
from textrnn.models.classifier import TextClassifier
from textrnn.text.tokenizer import Tokenizer
from textrnn.training.update.lazy_adam import added

__all__ = ["Adversary", "divergence", "entropy"]

Objective = Callable[[tf.Tensor], tf.Tensor]
"""A number, of logits `[B, C]` in float32."""


class Adversary:
    """Computes gradients of what the module's docstring asks of a batch.

    A batch is read forwards and backwards once, once more for `adversarial`, and twice more for
    `vat` (the first of them without the weights' gradient).

    Args:
        model: The classifier.
        config: The settings.
        multi_label: Whether a text may carry any number of labels.
        scale: What a text's part in the objective is multiplied by.
    """

    def __init__(
        self, model: TextClassifier, config: ClassifierRunConfig, *, multi_label: bool, scale: float
    ) -> None:
        self._model = model
        self._adversarial, self._vat = config.regularization.adversarial, config.regularization.vat
        self._weight, self._entropy = (
            config.regularization.adversarial_weight,
            config.regularization.entropy,
        )
        self._multi_label = multi_label
        self._scale = scale

    def gradients(
        self,
        ids: tf.Tensor,
        objective: Objective,
        *,
        counted: tf.Tensor,
        unlabelled: tf.Tensor | None = None,
    ) -> tuple[list[Any], tf.Tensor, tf.Tensor]:
        """The gradients of the whole objective.

        Args:
            ids: `[B, T]`, padding at the right.
            objective: L, of the logits of these texts.
            counted: `[B]`, 0 for a row that only fills the shape, else 1.
            unlabelled: `[B', T']`, more texts; rows without a token do not count.

        Returns:
            The gradient of each trainable variable, L(x) and the logits of x.
        """
        batch = _Batch(self._model, ids, random=self._vat > 0)
        logits, slopes = batch.learn(
            lambda logits: objective(logits) + self._entropy_part(logits, counted)
        )
        if self._adversarial:
            moved = batch.moves(slopes, self._adversarial)
            batch.learn(lambda logits: self._weight * objective(logits), moved)
        self._smooth(batch, logits, counted)
        gradients = batch.gradients()
        if unlabelled is not None:
            more = self._unlabelled_gradients(unlabelled)
            gradients = [added(one, other) for one, other in zip(gradients, more, strict=True)]
        return gradients, objective(logits), logits

    def _unlabelled_gradients(self, ids: tf.Tensor) -> list[Any]:
        counted = tf.cast(tf.reduce_any(tf.not_equal(ids, Tokenizer.PAD), axis=1), tf.float32)
        batch = _Batch(self._model, ids, random=self._vat > 0)
        if self._entropy:
            logits, _ = batch.learn(lambda logits: self._entropy_part(logits, counted))
        else:
            logits = batch.logits()
        self._smooth(batch, logits, counted)
        return batch.gradients()

    def _entropy_part(self, logits: tf.Tensor, counted: tf.Tensor) -> tf.Tensor:
        if not self._entropy:
            return tf.zeros([])
        each = entropy(logits, multi_label=self._multi_label)
        return self._scale * self._entropy * tf.reduce_sum(counted * each)

    def _smooth(self, batch: _Batch, logits: tf.Tensor, counted: tf.Tensor) -> None:
        """Adds the virtual adversarial part, if it is asked for."""
        if not self._vat:
            return
        logits = tf.stop_gradient(logits)

        def distance(moved: tf.Tensor) -> tf.Tensor:
            each = divergence(logits, moved, multi_label=self._multi_label)
            return self._scale * self._weight * tf.reduce_sum(counted * each)

        slopes = batch.slopes(distance, batch.moves(batch.random, self._vat))
        batch.learn(distance, batch.moves(slopes, self._vat))


class _Batch:
    """Texts that are read several times with one noise, in parts side by side.

    Args:
        model: The classifier.
        ids: `[B, T]`, padding at the right.
        random: Whether random directions are needed.

    Attributes:
        random: For each part a direction `[B, T, E]` for each text, if asked for.
    """

    def __init__(self, model: TextClassifier, ids: tf.Tensor, *, random: bool) -> None:
        self._model = model
        parts = [part for (part,) in cut_batch([ids], parts=batch_parts(directions=1))]
        self._masks = [tf.not_equal(part, Tokenizer.PAD) for part in parts]
        self._table = model.embedding.embeddings
        self._top = [v for v in model.trainable_variables if v is not self._table]
        with tf.GradientTape() as self._tape:
            self._embedded = [model.embed(part, training=True) for part in parts]
        self._norms = [
            _norm(tf.where(mask[:, :, tf.newaxis], tf.cast(part, tf.float32), 0.0))
            for part, mask in zip(self._embedded, self._masks, strict=True)
        ]
        # Drawn before the noise is noted, lest it be drawn again for the next batch.
        self.random: list[tf.Tensor] = []
        if random:
            seed = model.seed_generator
            self.random = [keras.random.normal(tf.shape(x), seed=seed) for x in self._embedded]
        generators = [v for v in model.non_trainable_variables if "seed_generator" in v.path]
        self._noise = [(generator, tf.identity(generator.value)) for generator in generators]
        self._sums: list[Any] = [None] * len(self._top)
        self._slopes: list[Any] = [None] * len(self._embedded)

    def moves(self, directions: list[tf.Tensor], share: float) -> list[tf.Tensor]:
        """r: for each text this share of its norm in its direction; 0 for a direction of 0."""
        moved = []
        for direction, mask, norm in zip(directions, self._masks, self._norms, strict=True):
            slope = tf.where(mask[:, :, tf.newaxis], tf.cast(direction, tf.float32), 0.0)
            # Squares of what is small would be zero.
            largest = tf.reduce_max(tf.abs(slope), axis=[1, 2], keepdims=True)
            slope = tf.math.divide_no_nan(slope, largest)
            r = share * norm * tf.math.divide_no_nan(slope, _norm(slope))
            moved.append(tf.stop_gradient(tf.cast(r, self._embedded[0].dtype)))
        return moved

    def logits(self, moved: list[tf.Tensor] | None = None) -> tf.Tensor:
        """`[B, C]` of x, or of x + r."""
        for generator, state in self._noise:
            generator.assign(state)
        parts = self._embedded
        if moved is not None:
            parts = [x + r for x, r in zip(parts, moved, strict=True)]
        logits = [
            self._model.logits_of(part, mask, training=True)
            for part, mask in zip(parts, self._masks, strict=True)
        ]
        return tf.cast(tf.concat(logits, axis=0), tf.float32)

    def slopes(self, objective: Objective, moved: list[tf.Tensor]) -> list[tf.Tensor]:
        """The gradient of an objective of x + r by r."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(moved)
            value = objective(self.logits(moved))
        found: list[tf.Tensor] = tape.gradient(value, moved)
        return found

    def learn(
        self, objective: Objective, moved: list[tf.Tensor] | None = None
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Adds an objective of x, or of x + r; gives the logits, and its gradient by x."""
        with tf.GradientTape() as tape:
            tape.watch(self._embedded)
            logits = self.logits(moved)
            value = objective(logits)
        found, slopes = tape.gradient(value, [self._top, self._embedded])
        self._sums = [_plus(*pair) for pair in zip(self._sums, found, strict=True)]
        self._slopes = [_plus(*pair) for pair in zip(self._slopes, slopes, strict=True)]
        return logits, slopes

    def gradients(self) -> list[Any]:
        """The gradient of all objectives together by each trainable variable."""
        below = self._tape.gradient(self._embedded, self._table, output_gradients=self._slopes)
        own = {id(v): g for v, g in zip(self._top, self._sums, strict=True)}
        return [own.get(id(v), below) for v in self._model.trainable_variables]


def divergence(logits: tf.Tensor, other: tf.Tensor, *, multi_label: bool) -> tf.Tensor:
    """KL(p || q) `[B]` of the distributions of two logits `[B, C]`, in nats."""
    if not multi_label:
        p, q = tf.nn.log_softmax(logits), tf.nn.log_softmax(other)
        return tf.reduce_sum(tf.exp(p) * (p - q), axis=-1)
    sides = [(tf.math.log_sigmoid(s * logits), tf.math.log_sigmoid(s * other)) for s in (1.0, -1.0)]
    return tf.reduce_mean(tf.add_n([tf.exp(p) * (p - q) for p, q in sides]), axis=-1)


def entropy(logits: tf.Tensor, *, multi_label: bool) -> tf.Tensor:
    """H(p) `[B]` of the distribution of logits `[B, C]`, in nats."""
    if not multi_label:
        p = tf.nn.log_softmax(logits)
        return -tf.reduce_sum(tf.exp(p) * p, axis=-1)
    sides = [tf.math.log_sigmoid(s * logits) for s in (1.0, -1.0)]
    return -tf.reduce_mean(tf.add_n([tf.exp(p) * p for p in sides]), axis=-1)


def _norm(values: tf.Tensor) -> tf.Tensor:
    """`[B, T, E]` to `[B, 1, 1]`."""
    return tf.sqrt(tf.reduce_sum(tf.square(values), axis=[1, 2], keepdims=True))


def _plus(sum: Any, value: Any) -> Any:
    return value if sum is None else sum + value
