"""Applying a cell along time. Only this folder knows about masks in time."""

from textrnn.recurrence.unroll import recur

__all__ = ["recur"]
