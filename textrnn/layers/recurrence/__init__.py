"""Applying a cell along time. Only this folder knows about masks in time."""

from textrnn.layers.recurrence.batch_parts import batch_parts, cut_batch
from textrnn.layers.recurrence.computation import Computation
from textrnn.layers.recurrence.cudnn import CudnnDirection, cudnn
from textrnn.layers.recurrence.devices import compiled, on_host
from textrnn.layers.recurrence.kernels import KERNELS, Kernel, choose_kernel, recur
from textrnn.layers.recurrence.recompute import recur_in_segments
from textrnn.layers.recurrence.recurrence import Recurrence

__all__ = [
    "KERNELS",
    "Computation",
    "CudnnDirection",
    "Kernel",
    "Recurrence",
    "batch_parts",
    "choose_kernel",
    "compiled",
    "cudnn",
    "cut_batch",
    "on_host",
    "recur",
    "recur_in_segments",
]
