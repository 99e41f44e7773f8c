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
        valid_tokens: Of the validation texts.
    """

    def __init__(self, valid_tokens: float) -> None:
        self._valid_tokens = valid_tokens
        self._validation = math.inf
        self._update = math.inf  # Seconds a token, of the fastest after the first.
        self._updates = 0

    def updated(self, tokens: float, *, seconds: float) -> None:
        """An update has read so many tokens in so many seconds."""
        self._updates += 1
        if self._updates > 1:  # Not the one that traced the graph.
            self._update = min(self._update, seconds / max(tokens, 1.0))

    def validated(self, seconds: float) -> None:
        """A validation has taken so long."""
        self._validation = min(self._validation, seconds)

    @property
    def validation_seconds(self) -> float:
        """Of the next one: before there was one, by what its tokens take in training."""
        if self._validation < math.inf:
            return self._validation
        if self._updates < STEADY:
            return 0.0
        return FORWARD_SHARE * self._valid_tokens * self._update
