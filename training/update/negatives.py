"""The tokens that a language model learns to tell the next one from."""

from __future__ import annotations

import numpy as np

__all__ = ["Negatives"]

DISTORTION = 0.75
"""Tokens are drawn by their count to this power, which gives rare ones more of a chance (Mikolov et
al. 2013, "Distributed Representations of Words and Phrases and their Compositionality")."""


class Negatives:
    """Draws the tokens that the next one is told from.

    Args:
        counts: `[V]`, how often each token occurs; each counts once more.
        size: S, how many are drawn, with replacement.
        seed: Of the draws.
    """

    def __init__(self, counts: np.ndarray, *, size: int, seed: int) -> None:
        weights = (counts + 1.0) ** DISTORTION
        share = weights / weights.sum()
        self._size, self._seed = size, seed
        self._upto = np.cumsum(share)
        self._log_counts = np.log(max(size, 1) * share)

    def draw(self, update: int) -> tuple[np.ndarray, np.ndarray]:
        """Those of one update, the same each time it is asked for.

        Returns:
            n `[U]` and their offsets; see `sampled_losses`.
        """
        rng = np.random.default_rng([self._seed, len("negatives"), update])
        found = np.searchsorted(self._upto, rng.random(self._size), side="right")
        drawn, times = np.unique(np.minimum(found, len(self._upto) - 1), return_counts=True)
        offsets = np.log(times) - self._log_counts[drawn]
        return drawn.astype(np.int32), offsets.astype(np.float32)
