"""The optimizer, its learning rate over time, and the loss."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np

from textrnn.config import TrainingConfig
from textrnn.errors import ConfigError
from textrnn.training.lazy_adam import LazyAdam

__all__ = ["class_weights", "make_loss", "make_optimizer"]


def make_optimizer(config: TrainingConfig, *, total_steps: int) -> keras.optimizers.Optimizer:
    """Adam, its learning rate rising linearly, then falling to zero along a cosine.

    With weight decay it is AdamW (Loshchilov & Hutter 2019, "Decoupled Weight Decay
    Regularization"), which spares biases.

    Args:
        config: The settings.
        total_steps: The number of updates after which the learning rate is zero.
    """
    warmup_steps = min(round(config.warmup * total_steps), total_steps - 1)
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if warmup_steps else config.learning_rate,
        warmup_target=config.learning_rate if warmup_steps else None,
        warmup_steps=warmup_steps,
        decay_steps=total_steps - warmup_steps,
    )
    optimizer = LazyAdam(schedule, weight_decay=config.weight_decay or None)
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
