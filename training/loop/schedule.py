"""How far a training is, by its updates or by the clock, and what learning rate that means."""

from __future__ import annotations

import datetime
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from textrnn.errors import ConfigError

__all__ = ["Schedule", "TimeBudget", "rate_factor"]


def rate_factor(progress: float, *, warmup: float, step: float = 0.0) -> float:
    """What share of the highest learning rate is used: a linear rise, then half a cosine to zero.

    The fall is that of Loshchilov & Hutter 2017, "SGDR: Stochastic Gradient Descent with Warm
    Restarts", without restarts.

    Args:
        progress: The share of the training that is done before the update, 0 to 1.
        warmup: The share of the training in which the rate rises.
        step: The share of the training that the update is, if it is known.
    """
    rising = max(warmup, step)
    if progress + step < rising:
        return (progress + step) / rising
    done = max(progress - warmup, 0.0) / (1.0 - warmup)
    return 0.5 * (1.0 + math.cos(math.pi * min(done, 1.0)))


@dataclass(frozen=True)
class TimeBudget:
    """The time that a whole run has, and what of it must be left when training ends.

    Attributes:
        seconds: For everything: reading the data, training, measuring and saving.
        started: When the run began, by `time.monotonic`.
        finish: Seconds that everything after the training takes, given the seconds that
            measuring on all validation texts takes.
    """

    seconds: float
    started: float
    finish: Callable[[float], float]

    def left(self, validation: float, *, epoch: float = 0.0) -> float:
        """Seconds that training may still take.

        Args:
            validation: What measuring on all validation texts takes.
            epoch: What the validation of the last epoch takes.
        """
        elapsed = time.monotonic() - self.started
        return self.seconds - elapsed - epoch - self.finish(validation)

    def check(self) -> None:
        """Raises ConfigError if no time is left for training."""
        if self.left(0.0) <= 0.0:
            raise ConfigError(
                f"the `time_budget` of {self.seconds:.0f} s is used up before training begins; "
                "give more, or use less data."
            )

    def told_short(self, validation: float) -> str:
        """That less than half of the time is left for training, if so, in words."""
        left = max(self.left(validation), 0.0)
        if left >= self.seconds / 2:
            return ""
        return (
            f"note: {left:.0f} s of the time budget of {self.seconds:.0f} s are left for training; "
            "the rest goes into preparing and measuring."
        )


class Schedule:
    """The progress of one training, from 0 to 1.

    With a number of updates it is their share; with a time budget it is the share of the time,
    whatever the speed turns out to be; with both, the larger.

    Args:
        updates: How many there will be; None: as many as the time allows.
        budget: The time there is; None: no limit.
        warmup: The share of the training in which the learning rate rises.
    """

    def __init__(self, updates: int | None, *, budget: TimeBudget | None, warmup: float) -> None:
        self.updates, self.budget = updates, budget
        self._warmup = warmup
        self._before = 0.0
        self._started = time.monotonic()
        self._first: tuple[float, float] | None = None

    def start(self, *, elapsed: float) -> None:
        """Starts the clock, of a training that has already gone on for so many seconds."""
        self._before = elapsed
        self._started = time.monotonic()
        self._first = None

    def elapsed(self) -> float:
        """Seconds of training, without the time it stood still."""
        return self._before + time.monotonic() - self._started

    def time_share(self, *, validation: float, epoch: float = 0.0) -> float:
        """The share of the time that is used up, 0 without a budget.

        Args:
            validation: Seconds that measuring on all validation texts takes, as far as is known.
            epoch: Seconds that the validation of an epoch takes.
        """
        if self.budget is None:
            return 0.0
        used, left = self.elapsed(), self.budget.left(validation, epoch=epoch) - self._before
        return min(1.0, used / (used + left)) if left > 0.0 else 1.0

    def progress(self, update: int, time_share: float) -> float:
        """The share of the training that is done before this update, counted from 0."""
        return max(time_share, update / self.updates if self.updates else 0.0)

    def factor(self, update: int, time_share: float) -> float:
        """What share of the highest learning rate this update uses."""
        step = 1.0 / self.updates if self.updates else 0.0
        return rate_factor(self.progress(update, time_share), warmup=self._warmup, step=step)

    def left_seconds(self, update: int, time_share: float) -> float | None:
        """How long the training will go on, None while that cannot be told.

        Args:
            update: Updates made. The first time this is asked for, the last of them has traced the
                graph, so that its time says nothing.
            time_share: The share of the time that is used up.
        """
        done, now = self.progress(update, time_share), self.elapsed()
        if self._first is None:
            self._first = done, now
        first, then = self._first
        return (now - then) / (done - first) * (1.0 - done) if done > first else None

    def told_left(self, update: int, time_share: float) -> str:
        """The same for people, behind other figures; nothing where it cannot be told."""
        left = self.left_seconds(update, time_share)
        return "" if left is None else f", {datetime.timedelta(seconds=round(left))} to the end"
