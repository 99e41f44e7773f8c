"""Learning rates by layer, for a classifier that begins with a language model."""

from __future__ import annotations

import math

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.messages.wording import counted
from textrnn.models.classifier import TextClassifier
from textrnn.training.update.lazy_adam import LazyAdam

__all__ = ["LayerRates", "depths"]


class LayerRates:
    """Each layer's share of the learning rate, as the training goes on.

    A layer that is d layers below the top has `layer_rate ** d`, and 0 in the first `d * unfreeze`
    epochs: discriminative fine-tuning and gradual unfreezing (Howard & Ruder 2018, "Universal
    Language Model Fine-tuning for Text Classification").

    Args:
        model: Built.
        optimizer: Built.
        config: The settings.
        epoch_updates: Updates of an epoch.
        others: How many variables the optimizer has behind the model's; they are at the top.
    """

    def __init__(
        self,
        model: TextClassifier,
        optimizer: LazyAdam,
        config: ClassifierRunConfig,
        *,
        epoch_updates: int,
        others: int = 0,
    ) -> None:
        self._optimizer, self._depths = optimizer, [*depths(model), *[0] * others]
        self._rate, self._unfreeze = config.optimizer.layer_rate, config.schedule.unfreeze
        self._epoch_updates = epoch_updates
        self._shares: list[float] = []
        self.set(0)

    def set(self, update: int) -> None:
        """Sets the shares for this update."""
        if self._rate == 1.0 and not self._unfreeze:
            return
        epochs = update / self._epoch_updates
        shares = [self._rate**d if epochs >= d * self._unfreeze else 0.0 for d in self._depths]
        if shares != self._shares:
            self._shares = shares
            self._optimizer.set_rates(shares)

    def told_frozen(self, epochs: int | None) -> str:
        """That layers wait beyond so many epochs, if so, in words; None: as many as it takes."""
        layers = set(self._depths)
        frozen = sum(depth * self._unfreeze >= (epochs or math.inf) for depth in layers)
        if not frozen:
            return ""
        return (
            f"note: with --unfreeze {self._unfreeze:g}, {frozen} of {len(layers)} layers learn "
            f"nothing in {counted(epochs or 0, 'epoch')}; give more --epochs."
        )


def depths(model: TextClassifier) -> list[int]:
    """Of each trainable variable how many layers are above it.

    0: the head and the classes; then each recurrent layer from the uppermost; last the embeddings.
    """
    stack = model.stack
    layers = [] if stack is None else stack.rnns
    places: dict[int, int] = {}
    for i, layer in enumerate(layers):
        parts = [layer, *(stack.norms[i : i + 1] if stack is not None else [])]
        places |= {id(v): len(layers) - i for part in parts for v in part.trainable_variables}
    places |= {id(v): len(layers) + 1 for v in model.embedding.trainable_variables}
    return [places.get(id(v), 0) for v in model.trainable_variables]
