"""The optimizer, its learning rate over time, and the loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.errors import ConfigError
from textrnn.training.update.lazy_adam import LazyAdam, RowGradient

__all__ = ["LOSS_SCALE", "class_weights", "clipped", "make_loss", "make_optimizer", "values"]

LOSS_SCALE = 4096.0
"""What the loss is multiplied by for float16, whose smallest gradients would else be zero."""


def make_optimizer(config: ClassifierRunConfig) -> LazyAdam:
    """Adam, whose learning rate the training loop sets; see `training.schedule`.

    With weight decay it is AdamW (Loshchilov & Hutter 2019, "Decoupled Weight Decay
    Regularization"), which spares biases. With `ema` it keeps an average of the weights.

    Args:
        config: The settings.
    """
    optimizer = LazyAdam(
        config.optimizer.learning_rate,
        weight_decay=config.optimizer.weight_decay or None,
        use_ema=config.optimizer.ema > 0,
        ema_momentum=config.optimizer.ema,
    )
    if config.optimizer.weight_decay:
        optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer


def make_loss(config: ClassifierRunConfig, *, multi_label: bool) -> keras.losses.Loss:
    """The loss of each text `[B]`, of targets and logits `[B, C]`: cross-entropy in nats.

    For multi-label it is the mean over the labels of the binary cross-entropies.
    """
    kind = keras.losses.BinaryCrossentropy if multi_label else keras.losses.CategoricalCrossentropy
    return kind(
        from_logits=True, label_smoothing=config.regularization.label_smoothing, reduction=None
    )


def class_weights(targets: np.ndarray, *, labels: Sequence[str], multi_label: bool) -> np.ndarray:
    """The weight of each text `[N]`: inversely as the frequency of its class, 1 on average.

    Raises:
        ConfigError: The data is multi-label.
    """
    if multi_label:
        raise ConfigError("`class_weights` needs one label a text; leave it off with multi_label.")
    counts = targets.sum(axis=0)
    weights = len(targets) / (len(labels) * np.maximum(counts, 1))
    return np.asarray(targets @ weights, np.float32)


def clipped(
    gradients: Sequence[Any], clip_norm: float, *, scale: float
) -> tuple[list[Any], tf.Tensor]:
    """Gradients, no row twice in one, scaled down to a global norm, and the norm they had.

    Args:
        gradients: Each dense, a `tf.IndexedSlices` or a `RowGradient`.
        clip_norm: The largest norm; 0: any.
        scale: What the loss was multiplied by, which is taken out again.
    """
    norm = tf.linalg.global_norm([values(gradient) for gradient in gradients]) / scale
    factor: Any = 1.0 / scale
    if clip_norm:
        factor *= clip_norm / tf.maximum(norm, clip_norm)
    if clip_norm or factor != 1.0:
        gradients = [_scaled(gradient, factor) for gradient in gradients]
    return list(gradients), norm


def values(gradient: Any) -> tf.Tensor:
    """The numbers of a gradient, of whichever form."""
    return gradient.values if isinstance(gradient, tf.IndexedSlices | RowGradient) else gradient


def _scaled(gradient: Any, factor: Any) -> Any:
    if isinstance(gradient, RowGradient):
        return RowGradient(factor * gradient.values, gradient.touched)
    if isinstance(gradient, tf.IndexedSlices):
        return tf.IndexedSlices(factor * gradient.values, gradient.indices, gradient.dense_shape)
    return factor * gradient
