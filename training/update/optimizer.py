"""The optimizer of a classifier, as the settings describe it."""

from __future__ import annotations

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.training.update.lazy_adam import LazyAdam

__all__ = ["make_optimizer"]


def make_optimizer(config: ClassifierRunConfig) -> LazyAdam:
    """Returns Adam, whose learning rate the training loop sets before each update.

    With weight decay it is AdamW (Loshchilov & Hutter 2019, "Decoupled Weight Decay
    Regularization"), and biases do not decay. With `ema` it keeps a moving average of the weights.

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
