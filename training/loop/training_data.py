"""The data of one training."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.training import BatchesConfig
from textrnn.models.label_space import LabelSpace
from textrnn.training.batches.labelled_batches import LabelledBatches
from textrnn.training.update.losses import BatchLoss

__all__ = ["TrainingData"]


@dataclass(frozen=True)
class TrainingData:
    """The data of one training.

    Attributes:
        train: The texts that the model is fitted to.
        validation: The texts that decide which epoch is best, and when to stop.
        label_space: The labels.
        digest: A digest of the texts and labels; a checkpoint is only resumed with the same data.
    """

    train: LabelledBatches
    validation: LabelledBatches
    label_space: LabelSpace
    digest: str

    def resized(self, sizes: BatchesConfig) -> TrainingData:
        """Returns the data in batches of other sizes."""
        return dataclasses.replace(
            self, train=self.train.resized(sizes), validation=self.validation.resized(sizes)
        )

    def batch_loss(self, config: ClassifierRunConfig) -> BatchLoss:
        """Returns the loss of a batch that the settings describe.

        Raises:
            ConfigError: The loss does not suit the labels.
        """
        return BatchLoss.from_config(
            config,
            label_space=self.label_space,
            targets=self.train.targets,
            mean_rows=self.mean_rows,
            unlabelled_rows=self.train.unlabelled_rows,
        )

    @functools.cached_property
    def epoch_updates(self) -> int:
        """The number of updates in an epoch."""
        return len(self.train.plan.batches())

    @property
    def mean_rows(self) -> float:
        """The number of labelled texts in an average batch."""
        return len(self.train.targets) / self.epoch_updates
