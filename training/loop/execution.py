"""The devices of a training, and the conditions that end it early."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from textrnn.training.devices.strategy import Distribution
from textrnn.training.loop.schedule import TimeBudget

__all__ = ["Execution"]


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Execution:
    """The devices of a training, and the conditions that end it early.

    >>> execution = Execution()
    >>> execution.distribution.replicas, execution.should_stop(), execution.budget
    (1, False, None)

    Attributes:
        distribution: The devices that it runs on.
        should_stop: Called at each update; True saves a checkpoint and raises KeyboardInterrupt.
        budget: The time budget; None means no limit.
    """

    distribution: Distribution = field(default_factory=lambda: Distribution.choose("single"))
    should_stop: Callable[[], bool] = _never
    budget: TimeBudget | None = None
