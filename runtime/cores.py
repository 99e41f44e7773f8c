"""The CPU's cores that a process may use, and the threads of matrix products."""

from __future__ import annotations

import os

__all__ = ["CORES", "count_cores", "one_thread_per_product"]

CORES = "TEXTRNN_CORES"
"""The environment variable with the number of cores that a process should use."""

_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def count_cores() -> int:
    """Returns the number of cores that this process may use, or that TEXTRNN_CORES says."""
    said = os.environ.get(CORES, "")
    if said.isdecimal() and int(said) > 0:
        return int(said)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def one_thread_per_product() -> None:
    """Lets a NumPy that is not imported yet compute each matrix product with one thread.

    The products of one step are small: several threads for one of them wait for each other longer
    than they compute. Environment variables that are set keep their values.
    """
    for name in _THREADS:
        os.environ.setdefault(name, "1")
