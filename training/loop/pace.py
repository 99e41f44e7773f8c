"""How long the next validation will take, as far as is known."""

from __future__ import annotations

import math

__all__ = ["Pace"]

FORWARD_SHARE = 0.4
"""Of an update, the share that its forward pass takes, about."""

STEADY = 10
"""Updates after which the speed of the fastest is that of the machine."""


class Pace:
    """Learns from updates and validations how long the next validation will take.

    Args:
        valid_tokens: The number of tokens of all validation texts.
    """

    def __init__(self, valid_tokens: float) -> None:
        self._valid_tokens = valid_tokens
        self._epoch_share = 1.0
        self._validation = math.inf  # Of an epoch.
        self._update = math.inf  # Seconds a token, of the fastest after the first.
        self._updates = 0

    def updated(self, tokens: float, *, seconds: float) -> None:
        """An update has read so many tokens in so many seconds."""
        self._updates += 1
        if self._updates > 1:  # Not the one that traced the graph.
            self._update = min(self._update, seconds / max(tokens, 1.0))

    def sampled(self, share: float) -> None:
        """Epochs are measured on this share of the validation tokens from now on."""
        self._epoch_share = share

    def estimated(self, seconds: float) -> None:
        """Measuring on all validation texts takes about so long, by a few batches of them."""
        self._validation = seconds * self._epoch_share

    def validated(self, seconds: float) -> None:
        """The validation of an epoch has taken so long."""
        self._validation = seconds

    @property
    def validation_seconds(self) -> float:
        """Of the next epoch: as the last one, or before it by what its tokens take in training."""
        if self._validation < math.inf:
            return self._validation
        if self._updates < STEADY:
            return 0.0
        return FORWARD_SHARE * self._epoch_share * self._valid_tokens * self._update

    @property
    def whole_seconds(self) -> float:
        """What measuring on all validation texts takes."""
        return self.validation_seconds / self._epoch_share
