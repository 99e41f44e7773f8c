"""How the cores of a CPU are shared out. Nothing here imports TensorFlow, which reads it once."""

from __future__ import annotations

import os

__all__ = ["MOST_PARTS", "count_cores", "set_thread_defaults"]

MOST_PARTS = 4
"""Parts of a batch side by side, at the most: more would have too few rows for fast products."""


def count_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def set_thread_defaults() -> None:
    """Tells a TensorFlow that has not started yet how many threads to use.

    As many operations at once as there are cores, each on its share of them: since the parts of a
    batch are computed side by side, two cores that worked on one product would be in each other's
    way. The variables TF_NUM_INTEROP_THREADS and TF_NUM_INTRAOP_THREADS, where set, are left.
    """
    cores = count_cores()
    os.environ.setdefault("TF_NUM_INTEROP_THREADS", str(cores))
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(-(-cores // min(cores, MOST_PARTS))))
