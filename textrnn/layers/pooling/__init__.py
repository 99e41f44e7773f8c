"""The heads: how the states `[B, T, H]` of a text become one vector `[B, H]`.

A head reads only the steps where the mask is True. For a text without such a step it returns zeros.

Each head also has an online form, for a text that comes in pieces: `start`, then `add` for every
piece, and `finish` at any time. The result is that of `call` for all pieces at once.
"""

from __future__ import annotations

from textrnn.layers.pooling.attention import AttentionPooling
from textrnn.layers.pooling.base import Pooling
from textrnn.layers.pooling.last_state import LastState
from textrnn.layers.pooling.maximum import MaxPooling
from textrnn.layers.pooling.mean import MeanPooling

__all__ = ["POOLINGS", "AttentionPooling", "LastState", "MaxPooling", "MeanPooling", "Pooling"]

POOLINGS: dict[str, type[Pooling]] = {
    "last": LastState,
    "mean": MeanPooling,
    "max": MaxPooling,
    "attention": AttentionPooling,
}
"""The heads by the names that the settings have for them."""
