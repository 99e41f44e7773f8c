"""The negatives that a language model learns to distinguish the next token from."""

from __future__ import annotations

import numpy as np

__all__ = ["Negatives"]

NO_CHANCE = -1e30
"""The log probability of a filler negative."""

DISTORTION = 0.75
"""The power of a token's count that its chance is proportional to; below 1 it favours rare tokens
(Mikolov et al. 2013, "Distributed Representations of Words and Phrases and their
Compositionality")."""


class Negatives:
    """Draws the tokens that the next token is distinguished from.

    >>> negatives = Negatives(np.array([9, 3, 0]), size=4, seed=0)
    >>> tokens, offsets = negatives.draw(0)
    >>> len(tokens) == len(offsets) <= 3
    True

    Args:
        counts: `[V]`, the count of each token; 1 is added to each.
        size: S, the number of draws with replacement.
        seed: The seed of the draws.
    """

    def __init__(self, counts: np.ndarray, *, size: int, seed: int) -> None:
        weights = (counts + 1.0) ** DISTORTION
        chances = weights / weights.sum()
        self._size, self._seed = size, seed
        self._cumulative = np.cumsum(chances)
        self._log_counts = np.log(max(size, 1) * chances)

    def draw(self, update: int) -> tuple[np.ndarray, np.ndarray]:
        """Draws the negatives of one update; the same update always has the same ones.

        Args:
            update: The number of the update.

        Returns:
            The distinct tokens `[U]`, and their offsets `[U]`; see `sampled_losses`.
        """
        rng = np.random.default_rng([self._seed, len("negatives"), update])
        places = np.searchsorted(self._cumulative, rng.random(self._size), side="right")
        places = np.minimum(places, len(self._cumulative) - 1)
        tokens, times = np.unique(places, return_counts=True)
        offsets = np.log(times) - self._log_counts[tokens]
        return tokens.astype(np.int32), offsets.astype(np.float32)

    def draw_filled(self, update: int) -> tuple[np.ndarray, np.ndarray]:
        """Draws like `draw`, but always S tokens and offsets; fillers are never predicted."""
        tokens, offsets = self.draw(update)
        missing = self._size - len(tokens)
        return (
            np.pad(tokens, [0, missing]),
            np.pad(offsets, [0, missing], constant_values=NO_CHANCE),
        )
