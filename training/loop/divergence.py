"""The detection of a training that has diverged."""

from __future__ import annotations

import math

from textrnn.training.loop.training_data import TrainingData

__all__ = ["Diverged", "most_loss"]

EXPLODED = 100.0
"""The mean loss of a text, in units of ln C, that no classifier that learns ever has."""


class Diverged(Exception):
    """An update made the weights useless; the message says how it was noticed."""


def most_loss(data: TrainingData) -> float:
    """Returns the mean loss of a text, in nats, above which the loss has exploded."""
    limit = EXPLODED * max(1.0, math.log(len(data.label_space.labels)))
    return limit * max(float(data.train.weights.max()), 1.0)
