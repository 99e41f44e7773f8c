"""The meaning of the logits of a classifier: one label per text, or any number of labels."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from textrnn.errors import DataError
from textrnn.models.targets import ClassTargets, Targets
from textrnn.runtime.labels import Labels

__all__ = ["LabelSpace"]

_LEAST = 1e-12
"""The least probability whose logarithm is taken."""

_SHOWN_LABELS = 10


@dataclass(frozen=True)
class LabelSpace(Labels):
    """The labels of a classifier and the distribution over them.

    A single-label space has one distribution per text: the softmax over all C labels. A multi-label
    space has C independent decisions per text: the sigmoid of each logit. Only this class and
    `Labels`, which decides, ask which of the two it is.

    The methods up to `entropy` take logits and work on tensors, in a graph as well as eagerly, and
    so does `answers_in_graph`. The other methods take probabilities and work on NumPy arrays.

    Attributes:
        labels: The C label names, in the order of the logits.
        multi_label: Whether a text may carry any number of labels.
        rule: What is answered, given the probabilities.

    >>> space = LabelSpace(("bad", "good", "long"), multi_label=True)
    >>> space.targets([("good", "long"), ()]).tolist()
    [[0.0, 1.0, 1.0], [0.0, 0.0, 0.0]]
    >>> space.decide(np.array([[0.1, 0.8, 0.5]])).tolist()
    [[False, True, True]]
    >>> single = LabelSpace(("bad", "good", "long"), multi_label=False)
    >>> single.decide(np.array([[0.1, 0.8, 0.5]])).tolist()
    [[False, True, False]]
    """

    # Logits

    def activation(self, logits: tf.Tensor) -> tf.Tensor:
        """Returns the probabilities `[B, C]` of logits `[B, C]`."""
        return tf.sigmoid(logits) if self.multi_label else tf.nn.softmax(logits)

    def loss(
        self,
        *,
        label_smoothing: float = 0.0,
        focal_gamma: float = 0.0,
        adjustment: np.ndarray | None = None,
    ) -> Callable[[Any, Any], tf.Tensor]:
        """Returns the training loss: a function of targets and logits `[B, C]` that gives `[B]`.

        The loss is the cross-entropy in nats. A multi-label space has the mean of the C binary
        cross-entropies.

        Args:
            label_smoothing: The share of each target that is spread over all labels.
            focal_gamma: Each logarithm of a probability p is multiplied by (1 - p) to this power
                (Lin et al. 2017, "Focal Loss for Dense Object Detection"); 0: it is not.
            adjustment: `[C]`, what is added to the logits, such as the logarithms of the
                frequencies of the labels (Menon et al. 2021, "Long-tail Learning via Logit
                Adjustment"); None: nothing.
        """
        if focal_gamma:
            return functools.partial(
                self._focal_loss, gamma=focal_gamma, label_smoothing=label_smoothing
            )
        kind = (
            keras.losses.BinaryCrossentropy
            if self.multi_label
            else keras.losses.CategoricalCrossentropy
        )
        entropy: Callable[[Any, Any], tf.Tensor] = kind(
            from_logits=True, label_smoothing=label_smoothing, reduction=None
        )
        if adjustment is None:
            return entropy
        added = np.asarray(adjustment, np.float32)
        return lambda targets, logits: entropy(targets, logits + added)

    def _focal_loss(
        self, targets: tf.Tensor, logits: tf.Tensor, *, gamma: float, label_smoothing: float
    ) -> tf.Tensor:
        if self.multi_label:
            targets = targets * (1.0 - label_smoothing) + 0.5 * label_smoothing
            losses = targets * _focal(tf.math.log_sigmoid(logits), gamma)
            losses += (1.0 - targets) * _focal(tf.math.log_sigmoid(-logits), gamma)
            return tf.reduce_mean(losses, axis=-1)
        targets = targets * (1.0 - label_smoothing) + label_smoothing / len(self.labels)
        return tf.reduce_sum(targets * _focal(tf.nn.log_softmax(logits), gamma), axis=-1)

    def correct(self, logits: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        """Returns whether each text is answered correctly, `[B]` of bool.

        It is what the training observes, so the answers are those of the default rule. A
        multi-label answer is correct if all C decisions are. Of probabilities as targets, the most
        probable label counts, or those of more than a half.

        Args:
            logits: `[B, C]`.
            targets: `[B, C]` between 0 and 1.
        """
        if self.multi_label:
            # A sigmoid is 0.5 at 0.
            return tf.reduce_all(tf.equal(logits >= 0.0, targets > 0.5), axis=1)
        return tf.equal(tf.argmax(logits, axis=1), tf.argmax(targets, axis=1))

    def divergence(self, logits: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
        """Returns the divergence KL(p || q) `[B]` of two distributions, in nats.

        A multi-label space has the mean of the C binary divergences.

        Args:
            logits: The logits `[B, C]` of p.
            other: The logits `[B, C]` of q.
        """
        if self.multi_label:
            sides = [
                (tf.math.log_sigmoid(sign * logits), tf.math.log_sigmoid(sign * other))
                for sign in (1.0, -1.0)
            ]
            return tf.reduce_mean(tf.add_n([tf.exp(p) * (p - q) for p, q in sides]), axis=-1)
        p, q = tf.nn.log_softmax(logits), tf.nn.log_softmax(other)
        return tf.reduce_sum(tf.exp(p) * (p - q), axis=-1)

    def entropy(self, logits: tf.Tensor) -> tf.Tensor:
        """Returns the entropy `[B]` of the distribution of logits `[B, C]`, in nats.

        A multi-label space has the mean of the C binary entropies.
        """
        if self.multi_label:
            sides = [tf.math.log_sigmoid(sign * logits) for sign in (1.0, -1.0)]
            return -tf.reduce_mean(tf.add_n([tf.exp(p) * p for p in sides]), axis=-1)
        p = tf.nn.log_softmax(logits)
        return -tf.reduce_sum(tf.exp(p) * p, axis=-1)

    # Probabilities

    def targets(self, texts_labels: Sequence[Sequence[str]]) -> np.ndarray:
        """Returns the targets `[N, C]` of float32: 1 where a text carries a label, else 0.

        Args:
            texts_labels: The labels of each of N texts.

        Raises:
            DataError: A label is not in this space.
        """
        places = {label: place for place, label in enumerate(self.labels)}
        targets = np.zeros([len(texts_labels), len(self.labels)], np.float32)
        for row, text_labels in enumerate(texts_labels):
            for label in text_labels:
                if label not in places:
                    more = ", ..." if len(self.labels) > _SHOWN_LABELS else ""
                    known = ", ".join(self.labels[:_SHOWN_LABELS]) + more
                    raise DataError(f"expected the labels {known}, got {label!r}.")
                targets[row, places[label]] = 1.0
        return targets

    def compact_targets(self, distinct: Sequence[Sequence[str]], *, codes: np.ndarray) -> Targets:
        """Returns what `targets` does, in a few bytes a text where each text carries one label.

        Args:
            distinct: Labels of a text, each once; those of no text may be unknown.
            codes: `[N]` of int, the place of each text's labels in `distinct`.

        Raises:
            DataError: A text has a label that is not in this space.
        """
        used = np.unique(codes)
        rows = self.targets([distinct[code] for code in used.tolist()])  # [D, C]
        if self.multi_label or not (rows.sum(axis=1) == 1).all():
            return np.asarray(rows[np.searchsorted(used, codes)])
        places = np.zeros(len(distinct), np.int64)
        places[used] = rows.argmax(axis=1)
        return ClassTargets(places[codes], classes=len(self.labels))

    def answers_in_graph(self, probabilities: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Returns `best` `[B]`, `decide` `[B, C]` and `answered` `[B]` as tensors.

        Args:
            probabilities: `[B, C]` of float32.
        """
        if self.multi_label:
            decided = self.rule.exceeded(probabilities)
            best = tf.argmax(probabilities + tf.cast(decided, tf.float32), axis=-1)
            certain = tf.where(decided, probabilities, 1.0 - probabilities)
            probability = tf.reduce_min(certain, axis=-1)
        else:
            best = tf.argmax(self.rule.utilities(probabilities), axis=-1)
            decided = tf.one_hot(best, len(self.labels), on_value=True, off_value=False)
            probability = tf.gather(probabilities, best, axis=-1, batch_dims=1)
        return best, decided, probability >= np.float32(self.rule.abstain_below)

    def right_answers(self, probabilities: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Returns whether the answer to each text is correct, `[N]` of bool.

        A multi-label answer is correct if all C decisions are. Withheld answers count as they are.

        Args:
            probabilities: `[N, C]`.
            targets: `[N, C]` of 0 and 1.
        """
        return np.asarray((self.decide(probabilities) == (targets > 0)).all(axis=1))

    def likelihoods(self, probabilities: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Returns the probability `[N, C]` of each target.

        A target of 1 has the probability of its label. A target of 0 has the probability that the
        text does not carry the label in a multi-label space, and 1 in a single-label space, whose
        targets are one outcome together.

        Args:
            probabilities: `[N, C]`.
            targets: `[N, C]` of 0 and 1.
        """
        otherwise = 1.0 - probabilities if self.multi_label else 1.0
        return np.where(targets > 0.5, probabilities, otherwise)

    def log_loss(self, probabilities: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Returns the negative log-probability `[N]` of the labels of each text, in nats.

        A multi-label space has the mean over the C decisions.

        Args:
            probabilities: `[N, C]`.
            targets: `[N, C]` of 0 and 1.
        """
        p = np.asarray(probabilities, np.float64)
        if not self.multi_label:
            p = p / p.sum(axis=1, keepdims=True)
        losses = -np.log(np.maximum(self.likelihoods(p, targets), _LEAST))
        return np.asarray(losses.mean(axis=1) if self.multi_label else losses.sum(axis=1))

    def outcomes(
        self, probabilities: np.ndarray, targets: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns the distributions `[M, K]` and the place `[M]` of the true outcome in each.

        A single-label space has one distribution over C labels per text: M = N, K = C. A
        multi-label space has one yes-or-no distribution per text and label: M = N C, K = 2.

        Args:
            probabilities: `[N, C]`.
            targets: `[N, C]` of 0 and 1.
        """
        p = np.asarray(probabilities, np.float64)
        if self.multi_label:
            return np.stack([1.0 - p.ravel(), p.ravel()], axis=1), targets.ravel().astype(int)
        return p / p.sum(axis=1, keepdims=True), targets.argmax(axis=1)

    def confidences(
        self, probabilities: np.ndarray, targets: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns the confidence `[M]` of each answer, and whether `[M]` the answer is right.

        A single-label space has one answer per text: the most probable label, M = N. A multi-label
        space has one answer per text and label, which is right if the text carries the label:
        M = N C.

        Args:
            probabilities: `[N, C]`.
            targets: `[N, C]` of 0 and 1.
        """
        if self.multi_label:
            return probabilities.ravel(), targets.ravel() > 0
        right = probabilities.argmax(axis=1) == targets.argmax(axis=1)
        return probabilities.max(axis=1), right

    def tempered(self, probabilities: np.ndarray, temperature: float) -> np.ndarray:
        """Returns the probabilities `[N, C]` that logits divided by a temperature give.

        Args:
            probabilities: `[N, C]`, at the temperature 1.
            temperature: A positive number; above 1 the probabilities become more equal.
        """
        p = np.asarray(probabilities, np.float64)
        log = np.log(np.maximum(p, _LEAST))
        if self.multi_label:
            log_otherwise = np.log(np.maximum(1.0 - p, _LEAST))
            return np.asarray(1.0 / (1.0 + np.exp((log_otherwise - log) / temperature)))
        log = log / temperature
        powers = np.exp(log - log.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _focal(log_probabilities: tf.Tensor, gamma: float) -> tf.Tensor:
    """Returns -(1 - p)^gamma log p."""
    # The gradient of (1 - p)^gamma is infinite at p = 1 if gamma is below 1.
    otherwise = tf.maximum(-tf.math.expm1(log_probabilities), _LEAST)
    return -tf.pow(otherwise, gamma) * log_probabilities
