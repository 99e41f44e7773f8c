"""The losses of a classifier, and how the losses of a batch's texts become one number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.errors import ConfigError
from textrnn.models.label_space import LabelSpace
from textrnn.models.targets import Targets

__all__ = ["LOSS_SCALE", "BatchLoss", "class_weights", "log_prior", "loss_scale", "lost_prior"]

LOSS_SCALE = 4096.0
"""The factor of the loss for float16, whose smallest gradients would be zero without it."""


def loss_scale(precision: str) -> float:
    """Returns the factor that the loss is multiplied by for a precision."""
    return LOSS_SCALE if precision == "float16" else 1.0


def class_weights(
    targets: Targets, *, label_space: LabelSpace, answers: np.ndarray | None = None
) -> np.ndarray:
    """Returns the weight of each text `[N]`: inverse to its class's frequency, 1 on average.

    Args:
        targets: `[N, C]` of 0 and 1.
        label_space: The labels.
        answers: `[M, C]`, the probability of each class for other texts, whose weights `[M]` are
            then returned: the mean over the classes. None: the weights of the same texts.

    Raises:
        ConfigError: The data is multi-label.
    """
    if label_space.multi_label:
        raise ConfigError(
            "`class_weights` needs one label per text; turn it off with `multi_label`."
        )
    counts = targets.sum(axis=0)
    weights = len(targets) / (len(label_space.labels) * np.maximum(counts, 1))
    return np.asarray((targets if answers is None else answers) @ weights, np.float32)


def log_prior(targets: Targets) -> np.ndarray:
    """Returns the logarithm of the frequency of each class, `[C]`; a class has at least one text.

    Args:
        targets: `[N, C]` between 0 and 1.
    """
    counts = np.maximum(targets.sum(axis=0, dtype=np.float64), 1.0)
    return np.asarray(np.log(counts / max(len(targets), 1)), np.float32)


def lost_prior(
    targets: Targets, *, config: ClassifierRunConfig, label_space: LabelSpace
) -> np.ndarray | None:
    """Returns what the training takes from the logits, `[C]`, so that rare classes gain.

    The logits of a model that was trained with weights of the classes, in balanced batches or with
    adjusted logits are those of classes of equal frequency, or of less unequal ones. They become
    logits of the data if this is added to them.

    Args:
        targets: The targets of the training texts, `[N, C]` between 0 and 1.
        config: The settings of the training.
        label_space: The labels.

    Returns:
        The logarithms of the frequencies times a factor; None if the training takes nothing.
    """
    terms = config.regularization
    factor = terms.balance
    if terms.class_weights:
        factor = 1.0
    elif terms.loss == "logit-adjusted":
        factor = terms.logit_tau
    if label_space.multi_label or not factor:
        return None
    return np.asarray(factor * log_prior(targets), np.float32)


@dataclass(frozen=True)
class BatchLoss:
    """The classification loss of a batch: a sum over texts divided by a constant.

    The constant is the number of texts in an average batch. So a text weighs the same in every
    batch, micro-batch and replica.

    >>> loss = BatchLoss.from_config(
    ...     ClassifierRunConfig.of(label_smoothing=0.0),
    ...     label_space=LabelSpace(("bad", "good"), multi_label=False),
    ...     mean_rows=2.0,
    ... )
    >>> logits, targets = tf.constant([[0.0, 0.0]]), tf.constant([[1.0, 0.0]])
    >>> round(float(loss.of(logits, targets=targets, weights=tf.constant([1.0]))), 4)
    0.3466

    Attributes:
        text_losses: The loss of each text `[B]`, of targets and logits `[B, C]`.
        label_space: The labels.
        mean_rows: The number of texts in an average batch.
        unlabelled_rows: The number of texts in an average unlabelled batch; 0 without any.
        scale: The factor of the loss; see `loss_scale`.
    """

    text_losses: Callable[[Any, Any], Any]
    label_space: LabelSpace
    mean_rows: float
    unlabelled_rows: float = 0.0
    scale: float = 1.0

    @classmethod
    def from_config(
        cls,
        config: ClassifierRunConfig,
        *,
        label_space: LabelSpace,
        mean_rows: float,
        unlabelled_rows: float = 0.0,
        targets: Targets | None = None,
    ) -> BatchLoss:
        """Returns the loss that the settings describe; see the attributes.

        The answers of teachers are uncertain already, so that targets are not smoothed then.

        Args:
            config: The settings.
            label_space: The labels.
            mean_rows: The number of texts in an average batch.
            unlabelled_rows: The number of texts in an average unlabelled batch; 0 without any.
            targets: The targets of the training texts, `[N, C]` between 0 and 1, whose frequencies
                the logit-adjusted loss needs.

        Raises:
            ConfigError: The loss needs one label per text, and the labels are multi-label.
        """
        terms, taught = config.regularization, config.distillation.active
        adjustment = None
        if terms.loss == "logit-adjusted":
            if label_space.multi_label or targets is None:
                raise ConfigError(
                    "`loss` logit-adjusted needs one label per text and the texts' labels; choose "
                    "focal or cross-entropy for `multi_label`."
                )
            adjustment = terms.logit_tau * log_prior(targets)
        return cls(
            text_losses=label_space.loss(
                label_smoothing=0.0 if taught else terms.label_smoothing,
                focal_gamma=terms.focal_gamma if terms.loss == "focal" else 0.0,
                adjustment=adjustment,
            ),
            label_space=label_space,
            mean_rows=mean_rows,
            unlabelled_rows=unlabelled_rows,
            scale=loss_scale(config.runtime.precision),
        )

    def mean(self, loss_sum: tf.Tensor) -> tf.Tensor:
        """Returns the scaled mean of a sum over labelled texts."""
        return self.scale * loss_sum / self.mean_rows

    def of(self, logits: tf.Tensor, *, targets: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        """Returns the scaled mean loss of texts.

        Args:
            logits: `[B, C]` in float32.
            targets: `[B, C]` between 0 and 1.
            weights: `[B]`, the weight of each text; 0 for a filler row.
        """
        return self.mean(tf.reduce_sum(weights * self.text_losses(targets, logits)))

    def sum_of(self, loss: tf.Tensor) -> tf.Tensor:
        """Returns the plain sum of the texts' losses, given their scaled mean."""
        return loss * (self.mean_rows / self.scale)

    def count_correct(
        self, logits: tf.Tensor, *, targets: tf.Tensor, weights: tf.Tensor
    ) -> tf.Tensor:
        """Returns the number of texts whose labels are all right; see `of` for the arguments."""
        correct = self.label_space.correct(logits, targets)
        return tf.reduce_sum(tf.cast(correct & (weights > 0), tf.float32))
