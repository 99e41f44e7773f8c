"""Learning rates by layer, for a classifier that starts from a language model."""

from __future__ import annotations

import math

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.messages.wording import counted
from textrnn.models.classifier import TextClassifier
from textrnn.training.update.lazy_adam import LazyAdam

__all__ = ["LayerRates", "layer_depths"]


class LayerRates:
    """Sets each layer's share of the learning rate in the course of a training.

    A layer that is d layers below the top has the share `layer_rate ** d`, and 0 in the first
    `d * unfreeze` epochs: discriminative fine-tuning and gradual unfreezing (Howard & Ruder 2018,
    "Universal Language Model Fine-tuning for Text Classification").

    Args:
        model: The classifier, built.
        optimizer: Its optimizer, built.
        config: The settings.
        epoch_updates: The number of updates in an epoch.
        loss_variables: The number of variables of the optimizer that belong to the loss, not to the
            model; they have the rate of the top layer.
    """

    def __init__(
        self,
        model: TextClassifier,
        optimizer: LazyAdam,
        *,
        config: ClassifierRunConfig,
        epoch_updates: int,
        loss_variables: int = 0,
    ) -> None:
        self._optimizer, self._depths = optimizer, [*layer_depths(model), *[0] * loss_variables]
        self._rate, self._unfreeze = config.optimizer.layer_rate, config.schedule.unfreeze
        self._epoch_updates = epoch_updates
        self._shares: list[float] = []
        self.set(0)

    def set(self, update: int) -> None:
        """Sets the shares for an update."""
        if self._rate == 1.0 and not self._unfreeze:
            return
        epochs = update / self._epoch_updates
        shares = [self._rate**d if epochs >= d * self._unfreeze else 0.0 for d in self._depths]
        if shares != self._shares:
            self._shares = shares
            self._optimizer.set_rates(shares)

    def frozen_message(self, epochs: int | None) -> str:
        """Returns a warning if some layers never learn, else an empty string.

        Args:
            epochs: The number of epochs of the training; None if it is not limited.
        """
        layers = set(self._depths)
        frozen = sum(depth * self._unfreeze >= (epochs or math.inf) for depth in layers)
        if not frozen:
            return ""
        return (
            f"note: with `unfreeze` {self._unfreeze:g}, {frozen} of {len(layers)} layers learn "
            f"nothing in {counted(epochs or 0, 'epoch')}; increase `epochs`."
        )


def layer_depths(model: TextClassifier) -> list[int]:
    """Returns the number of layers above each trainable variable.

    It is 0 for the pooling and the classifying layer, then grows from the uppermost recurrent layer
    to the lowest, and is the largest for the embeddings.
    """
    stack = model.stack
    layers = [] if stack is None else stack.rnns
    depths: dict[int, int] = {}
    for i, layer in enumerate(layers):
        parts = [layer, *(stack.norms[i : i + 1] if stack is not None else [])]
        depths |= {id(v): len(layers) - i for part in parts for v in part.trainable_variables}
    depths |= {id(v): len(layers) + 1 for v in model.embedding.trainable_variables}
    return [depths.get(id(v), 0) for v in model.trainable_variables]
