"""Adversarial and virtual adversarial training on embeddings, and entropy minimisation.

The embeddings x `[T, E]` of a text are moved by a small r in the worst direction, and the
predictions for x + r are trained as well as those for x. With |.| the norm over all T E numbers of
a text:

    adversarial          L(x) + lambda L(x + r),               g = d L(x) / dx
    virtual adversarial  L(x) + lambda KL(p(x) || p(x + r)),   g = d KL(p(x) || p(x + u)) / du
                         with u = eps |x| d / |d|,  d ~ N(0, 1): one step of power iteration
    both                 r = eps |x| g / |g|
    entropy              + mu H(p(x)),   H(p) = - sum_c p_c log p_c

(Miyato, Dai & Goodfellow 2017, "Adversarial Training Methods for Semi-Supervised Text
Classification"; Grandvalet & Bengio 2005, "Semi-supervised Learning by Entropy Minimization"). r,
g, |x| and the first p of KL count as constants. KL and H need no label: they are means over the
labelled texts and, if there are any, the unlabelled ones. With several labels per text they are the
mean over the labels of the values of each Bernoulli distribution, as L is. With both an entropy and
an adversarial term, g is the gradient of L + mu H.

Miyato et al. normalise their embeddings, so that the model cannot escape r by making them larger.
Here |x| itself is the unit of r: eps is a share of a text's norm, whatever T, E, the scale of the
embeddings and the other texts of the batch are. Their 5 at E = 256 and about 240 tokens of unit
variance is 5 / sqrt(240 * 256) = 0.02.

With `vat_every` K, only every K-th update has the virtual adversarial term and reads the unlabelled
texts, whose terms are K times as strong, before the gradient is clipped (Karras et al. 2020,
"Analyzing and Improving the Image Quality of StyleGAN", call it lazy regularization).

x has gone through word dropout and the dropout of embeddings, and all readings of a text have the
same noise there and above. So g is the gradient of exactly the function that r is applied to, and
p(x) and p(x + r) differ by r alone: with eps = 0 their divergence is 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.models.classifier import TextClassifier
from textrnn.text.tokenizer import Tokenizer
from textrnn.training.update.gradient_sources.embedded_batch import EmbeddedBatch
from textrnn.training.update.gradient_sources.source import BatchGradient, MicroBatch
from textrnn.training.update.losses import BatchLoss
from textrnn.training.update.row_gradients import add_gradients

__all__ = ["SmoothedGradients"]


class SmoothedGradients:
    """Computes gradients of the terms in the module's docstring that the settings turn on.

    A batch is read forwards and backwards once, once more for `adversarial`, and twice more for
    `vat` (the first of them without the gradients of the weights).

    Args:
        model: The classifier, built.
        config: The settings.
        loss: The classification loss, which says whether there are unlabelled texts.
    """

    def __init__(
        self, model: TextClassifier, config: ClassifierRunConfig, *, loss: BatchLoss
    ) -> None:
        self._model = model
        self._adversarial, self._vat = config.regularization.adversarial, config.regularization.vat
        self._weight, self._entropy = (
            config.regularization.adversarial_weight,
            config.regularization.entropy,
        )
        self._every = config.regularization.vat_every
        self._label_space = loss.label_space
        self._scale = loss.scale / (loss.mean_rows + loss.unlabelled_rows)
        self.row_specs = (tf.TensorSpec([None, None], tf.int32),) if loss.unlabelled_rows else ()
        self.draw_specs = (tf.TensorSpec([], tf.bool),) if self._every > 1 else ()

    @property
    def variables(self) -> list[Any]:
        """The model's trainable variables."""
        return list(self._model.trainable_variables)

    def draw(self, seed: Sequence[int]) -> tuple[np.ndarray, ...]:
        """Returns whether this update has the virtual adversarial term and unlabelled texts.

        The model's own generators draw the random directions.
        """
        return (np.array(seed[-1] % self._every == 0),) if self._every > 1 else ()

    def gradients(self, batch: MicroBatch) -> BatchGradient:
        """Computes the gradient; see `GradientSource`.

        Args:
            batch: The texts; `more_rows` holds the ids `[B', T']` of unlabelled texts, if there are
                any, whose rows without a token do not count.
        """
        if self._every == 1:
            return self._gradients(batch, virtual=True)
        gradient: BatchGradient = tf.cond(
            batch.draws[0],
            lambda: self._gradients(batch, virtual=True),
            lambda: self._gradients(batch, virtual=False),
        )
        return gradient

    def _gradients(self, batch: MicroBatch, *, virtual: bool) -> BatchGradient:
        """Computes the gradient, with the virtual adversarial term and unlabelled texts or not."""
        embedded = EmbeddedBatch(self._model, batch.ids, random=virtual and self._vat > 0)
        logits, slopes = embedded.learn(
            lambda logits: batch.objective(logits) + self._entropy_term(logits, batch.counted)
        )
        if self._adversarial:
            moves = embedded.moves(slopes, self._adversarial)
            embedded.learn(lambda logits: self._weight * batch.objective(logits), moves)
        if virtual:
            self._learn_virtual(embedded, logits, batch.counted)
        gradients = embedded.gradients()
        for unlabelled in batch.more_rows if virtual else ():
            pairs = zip(gradients, self._unlabelled_gradients(unlabelled), strict=True)
            gradients = [add_gradients(*pair) for pair in pairs]
        return BatchGradient(gradients, batch.objective(logits), logits)

    def _unlabelled_gradients(self, ids: tf.Tensor) -> list[Any]:
        counted = tf.cast(tf.reduce_any(tf.not_equal(ids, Tokenizer.PAD), axis=1), tf.float32)
        embedded = EmbeddedBatch(self._model, ids, random=self._vat > 0)
        if self._entropy:
            logits, _ = embedded.learn(
                lambda logits: self._every * self._entropy_term(logits, counted)
            )
        else:
            logits = embedded.logits()
        self._learn_virtual(embedded, logits, counted)
        return embedded.gradients()

    def _entropy_term(self, logits: tf.Tensor, counted: tf.Tensor) -> tf.Tensor:
        """Returns mu H, scaled, or 0 without an entropy term."""
        if not self._entropy:
            return tf.zeros([])
        entropies = self._label_space.entropy(logits)
        return self._scale * self._entropy * tf.reduce_sum(counted * entropies)

    def _learn_virtual(
        self, embedded: EmbeddedBatch, logits: tf.Tensor, counted: tf.Tensor
    ) -> None:
        """Adds the virtual adversarial term, if the settings turn it on."""
        if not self._vat:
            return
        logits = tf.stop_gradient(logits)

        def distance(moved: tf.Tensor) -> tf.Tensor:
            divergences = self._label_space.divergence(logits, moved)
            weight = self._scale * self._weight * self._every
            return weight * tf.reduce_sum(counted * divergences)

        slopes = embedded.slopes(distance, embedded.moves(embedded.random, self._vat))
        embedded.learn(distance, embedded.moves(slopes, self._vat))
