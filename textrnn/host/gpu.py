"""The NVIDIA GPU of this machine: how TensorFlow uses it, or why it does not."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["VISIBLE", "grow_gpu_memory", "unseen_gpu_message"]

DRIVER = Path("/proc/driver/nvidia/version")
"""This file exists where the driver of an NVIDIA GPU is loaded."""

VISIBLE = "CUDA_VISIBLE_DEVICES"
"""The environment variable that hides GPUs from a process."""


def grow_gpu_memory() -> None:
    """Makes TensorFlow take GPU memory as it needs it, and not all of it at the start.

    It has no effect once TensorFlow has used a GPU.
    """
    import tensorflow as tf

    for gpu in tf.config.list_physical_devices("GPU"):
        try:
            tf.config.experimental.set_memory_growth(gpu, True)
        except RuntimeError:  # TensorFlow has started the GPU.
            return


def unseen_gpu_message() -> str:
    """Returns a warning if there is an NVIDIA GPU that TensorFlow does not see, else "".

    TensorFlow computes on the CPU without an error if a CUDA library does not load.
    """
    import tensorflow as tf

    if not DRIVER.exists() or tf.config.list_physical_devices("GPU"):
        return ""
    if os.environ.get(VISIBLE, "0") in ("", "-1"):
        return f"the GPU is hidden by {VISIBLE}={os.environ[VISIBLE]!r}"
    return (
        "this machine has an NVIDIA GPU, but TensorFlow does not see it: most often a CUDA library "
        "is missing. Install them by `pip install 'tensorflow[and-cuda]'`, or see which one fails "
        "by `TF_CPP_MIN_LOG_LEVEL=0 textrnn doctor`"
    )
