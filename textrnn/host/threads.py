"""The distribution of the CPU's cores to threads.

TensorFlow reads these settings once, when it is imported. Nothing here imports it.
"""

from __future__ import annotations

import os

from textrnn.runtime.cores import count_cores

__all__ = ["MOST_PARTS", "count_cores", "set_thread_defaults"]

MOST_PARTS = 4
"""The largest number of parts of a batch in parallel; more parts would be too small to be fast."""


def set_thread_defaults() -> None:
    """Sets the number of threads for a TensorFlow that is not imported yet.

    There are as many parallel operations as cores, and the cores are divided among the parts of a
    batch. The parts are computed in parallel, so several cores for one matrix product would slow
    each other down. The environment variables TF_NUM_INTEROP_THREADS and TF_NUM_INTRAOP_THREADS
    keep their values if they are set.
    """
    cores = count_cores()
    os.environ.setdefault("TF_NUM_INTEROP_THREADS", str(cores))
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(-(-cores // min(cores, MOST_PARTS))))
