"""The progress of a training, by its updates or by the clock, and its learning rate."""

from __future__ import annotations

import datetime
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from textrnn.errors import ConfigError

__all__ = ["Schedule", "TimeBudget", "enough_epochs", "rate_factor"]

FEWEST_EPOCHS = 3
FEWEST_UPDATES = 2000
"""The least number of epochs and of updates of a training whose length is not set."""

CLASS_UPDATES = 40
"""The least number of updates for each class."""


def enough_epochs(updates: int, *, classes: int = 2, pretrained: bool = False) -> int:
    """Returns the number of epochs of a training whose length is not set.

    Many classes need more updates: with the 150 of clinc150, 5 epochs of 469 updates classified
    92.0 % of the validation texts correctly, 12 epochs 92.8 %, and 16 epochs 93.4 %.

    Large data need fewer epochs: IMDb, with 1,035 updates an epoch, was as accurate after 3 epochs
    (92.3 % of the validation and 91.4 % of the test texts) as after 5 (92.5, 91.1).

    Args:
        updates: The number of updates in an epoch.
        classes: C.
        pretrained: Whether a language model has read the training texts, for which one epoch less
            is enough (docs/accuracy.md).

    >>> enough_epochs(1000), enough_epochs(150), enough_epochs(469, classes=150)
    (3, 14, 13)
    """
    needed = max(FEWEST_UPDATES, CLASS_UPDATES * classes)
    return max(FEWEST_EPOCHS - pretrained, math.ceil(needed / updates))


def rate_factor(progress: float, *, warmup: float, step: float = 0.0) -> float:
    """Returns the share of the highest learning rate: a linear rise, then half a cosine to zero.

    The fall is that of Loshchilov & Hutter 2017, "SGDR: Stochastic Gradient Descent with Warm
    Restarts", without restarts.

    >>> [round(rate_factor(progress, warmup=0.5), 2) for progress in (0.0, 0.25, 0.5, 0.75, 1.0)]
    [0.0, 0.5, 1.0, 0.5, 0.0]

    Args:
        progress: The share of the training that is done before the update, 0 to 1.
        warmup: The share of the training in which the rate rises.
        step: The share of the training that one update is; 0 if it is unknown.
    """
    rising = max(warmup, step)
    if progress + step < rising:
        return (progress + step) / rising
    done = max(progress - warmup, 0.0) / (1.0 - warmup)
    return 0.5 * (1.0 + math.cos(math.pi * min(done, 1.0)))


@dataclass(frozen=True)
class TimeBudget:
    """The time budget of a whole run, and the time that the end of the run needs.

    Attributes:
        seconds: The time for everything: reading the data, training, measuring and saving.
        started: The start of the run, by `time.monotonic`.
        finish: Returns the seconds that everything after the training takes, given the seconds
            that measuring on all validation texts takes.
    """

    seconds: float
    started: float
    finish: Callable[[float], float]

    def left(self, validation: float, *, epoch: float = 0.0) -> float:
        """Returns the seconds that training may still take.

        Args:
            validation: The seconds that measuring on all validation texts takes.
            epoch: The seconds that the validation of the last epoch takes.
        """
        elapsed = time.monotonic() - self.started
        return self.seconds - elapsed - epoch - self.finish(validation)

    def part(self, share: float) -> TimeBudget:
        """Returns the budget of a training that comes first, with a share of the time that is left.

        Args:
            share: Between 0 and 1.
        """
        end = time.monotonic() - self.started + share * max(self.left(0.0), 0.0)
        return TimeBudget(end, self.started, lambda validation: validation)

    def check(self) -> None:
        """Checks that there is time for training.

        Raises:
            ConfigError: The budget is used up.
        """
        if self.left(0.0) <= 0.0:
            raise ConfigError(
                f"the `time_budget` of {self.seconds:.0f} s is used up before training begins; "
                "give more, or use less data."
            )

    def short_message(self, validation: float) -> str:
        """Returns a warning if under half of the budget remains for training, else an empty string.

        Args:
            validation: The seconds that measuring on all validation texts takes.
        """
        left = max(self.left(validation), 0.0)
        if left >= self.seconds / 2:
            return ""
        return (
            f"note: {left:.0f} s of the time budget of {self.seconds:.0f} s are left for training; "
            "the rest goes into preparing and measuring."
        )


class Schedule:
    """The progress of one training, from 0 to 1.

    With a number of updates the progress is the share of the updates that are done. With a time
    budget it is the share of the time that is used up, whatever the speed turns out to be. With
    both it is the larger of the two.

    >>> schedule = Schedule(10, budget=None, warmup=0.0)
    >>> schedule.progress(4, 0.0), schedule.factor(0, 0.0)
    (0.4, 1.0)

    Args:
        updates: The number of updates; None means as many as the time allows.
        budget: The time budget; None means no limit.
        warmup: The share of the training in which the learning rate rises.
    """

    def __init__(self, updates: int | None, *, budget: TimeBudget | None, warmup: float) -> None:
        self.updates, self.budget = updates, budget
        self._warmup = warmup
        self._before = 0.0
        self._started = time.monotonic()
        self._first: tuple[float, float] | None = None

    def start(self, *, elapsed: float) -> None:
        """Starts the clock.

        Args:
            elapsed: The seconds of training before an interruption; 0 for a new training.
        """
        self._before = elapsed
        self._started = time.monotonic()
        self._first = None

    def elapsed(self) -> float:
        """Returns the seconds of training, without interruptions."""
        return self._before + time.monotonic() - self._started

    def time_share(self, *, validation: float, epoch: float = 0.0) -> float:
        """Returns the share of the time that is used up; 0 without a budget.

        Args:
            validation: The estimated seconds that measuring on all validation texts takes.
            epoch: The estimated seconds that the validation of an epoch takes.
        """
        if self.budget is None:
            return 0.0
        used, left = self.elapsed(), self.budget.left(validation, epoch=epoch) - self._before
        return min(1.0, used / (used + left)) if left > 0.0 else 1.0

    def progress(self, update: int, time_share: float) -> float:
        """Returns the share of the training that is done before an update, counted from 0."""
        return max(time_share, update / self.updates if self.updates else 0.0)

    def factor(self, update: int, time_share: float) -> float:
        """Returns the share of the highest learning rate that an update uses."""
        step = 1.0 / self.updates if self.updates else 0.0
        return rate_factor(self.progress(update, time_share), warmup=self._warmup, step=step)

    def left_seconds(self, update: int, time_share: float) -> float | None:
        """Returns how long the training will still take; None if it is unknown.

        Args:
            update: The number of updates made. At the first call the last of them has traced the
                graph, so its time is ignored.
            time_share: The share of the time that is used up.
        """
        done, now = self.progress(update, time_share), self.elapsed()
        if self._first is None:
            self._first = done, now
        first, then = self._first
        return (now - then) / (done - first) * (1.0 - done) if done > first else None

    def left_message(self, update: int, time_share: float) -> str:
        """Returns the remaining time as text to append to other figures, empty if it is unknown."""
        left = self.left_seconds(update, time_share)
        return "" if left is None else f", {datetime.timedelta(seconds=round(left))} to the end"
