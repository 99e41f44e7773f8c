"""Applying a cell along time. Only this folder knows about masks in time."""

from textrnn.recurrence.kernels import KERNELS, Kernel, batch_parts, choose_kernel, recur
from textrnn.recurrence.recompute import recur_in_segments

__all__ = ["KERNELS", "Kernel", "batch_parts", "choose_kernel", "recur", "recur_in_segments"]
