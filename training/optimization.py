"""The optimizer, its learning rate over time, and the loss."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np

from textrnn.config import TrainingConfig
from textrnn.errors import ConfigError
from textrnn.training.lazy_adam import LazyAdam

__all__ = ["class_weights", "make_loss", "make_optimizer"]


def make_optimizer(config: TrainingConfig) -> keras.optimizers.Optimizer:
    """Adam, whose learning rate the training loop sets; see `training.schedule`.

    With weight decay it is AdamW (Loshchilov & Hutter 2019, "Decoupled Weight Decay
    Regularization"), which spares biases. With `ema` it keeps an average of the weights.

    Args:
        config: The settings.
    """
    optimizer = LazyAdam(
        config.learning_rate,
        weight_decay=config.weight_decay or None,
        use_ema=config.ema > 0,
        ema_momentum=config.ema,
    )
    if config.weight_decay:
        optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer


def make_loss(config: TrainingConfig, *, multi_label: bool) -> keras.losses.Loss:
    """The loss of each text `[B]`, of targets and logits `[B, C]`: cross-entropy in nats.

    For multi-label it is the mean over the labels of the binary cross-entropies.
    """
    kind = keras.losses.BinaryCrossentropy if multi_label else keras.losses.CategoricalCrossentropy
    return kind(from_logits=True, label_smoothing=config.label_smoothing, reduction=None)


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
