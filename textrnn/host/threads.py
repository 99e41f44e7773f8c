"""The distribution of the CPU's cores to threads.

TensorFlow reads these settings once, when it is imported. Nothing here imports it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from textrnn.runtime.cores import CORES, count_cores

__all__ = ["MOST_PARTS", "count_cores", "set_thread_defaults", "with_cores"]

MOST_PARTS = 4
"""The largest number of parts of a batch in parallel; more parts would be too small to be fast."""

_PRODUCTS = (
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"),
    *("MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"),
)
_OPERATIONS = ("TF_NUM_INTEROP_THREADS", "TF_NUM_INTRAOP_THREADS")


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


def with_cores(environment: Mapping[str, str], cores: int) -> dict[str, str]:
    """Returns an environment for a process that computes with this number of cores.

    The parts of a batch and the threads of each product then follow from the number alone, and not
    from the machine, so that the results have the same bits on machines with more cores.

    Args:
        environment: The environment variables of this process.
        cores: The number of cores.

    >>> sorted(with_cores({"TF_NUM_INTEROP_THREADS": "8", "HOME": "/"}, 2))[:2]
    ['HOME', 'MKL_NUM_THREADS']
    """
    kept = {name: value for name, value in environment.items() if name not in _OPERATIONS}
    return {**kept, **dict.fromkeys((*_PRODUCTS, CORES), str(cores))}
