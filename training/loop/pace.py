"""An estimate of how long the next validation will take."""

from __future__ import annotations

import math

from textrnn.training.loop.schedule import Schedule

__all__ = ["Pace"]

FORWARD_SHARE = 0.4
"""The approximate share of an update's time that its forward pass takes."""

STEADY = 10
"""The number of updates after which the fastest one shows the speed of the machine."""


class Pace:
    """Estimates from updates and validations how long the next validation will take.

    >>> pace = Pace(1000.0)
    >>> pace.estimated(8.0)
    >>> pace.validation_seconds
    8.0

    Args:
        valid_tokens: The number of tokens of all validation texts.
    """

    def __init__(self, valid_tokens: float) -> None:
        self._valid_tokens = valid_tokens
        self._epoch_share = 1.0
        self._validation = math.inf  # Seconds per epoch.
        self._token = math.inf  # Seconds per token of the fastest update.
        self._updates = 0

    def updated(self, tokens: float, *, seconds: float) -> None:
        """Records an update.

        Args:
            tokens: The number of tokens of its batch.
            seconds: The time that it took.
        """
        self._updates += 1
        if self._updates > 1:  # The first update traced the graph.
            self._token = min(self._token, seconds / max(tokens, 1.0))

    def sampled(self, share: float) -> None:
        """Records that epochs are measured on this share of the validation tokens from now on."""
        self._epoch_share = share

    def estimated(self, seconds: float) -> None:
        """Records the seconds that all validation texts take, estimated from a few batches."""
        self._validation = seconds * self._epoch_share

    def validated(self, seconds: float) -> None:
        """Records the seconds that the validation of an epoch has taken."""
        self._validation = seconds

    @property
    def validation_seconds(self) -> float:
        """The seconds of the next epoch's validation, from the last one or from the updates."""
        if self._validation < math.inf:
            return self._validation
        if self._updates < STEADY:
            return 0.0
        return FORWARD_SHARE * self._epoch_share * self._valid_tokens * self._token

    @property
    def whole_seconds(self) -> float:
        """The seconds that measuring on all validation texts takes."""
        return self.validation_seconds / self._epoch_share

    def time_share(self, schedule: Schedule) -> float:
        """Returns the share of a time budget that is used up; 0 without a budget."""
        return schedule.time_share(validation=self.whole_seconds, epoch=self.validation_seconds)
