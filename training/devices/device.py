"""The kind of device that a training asks for: the CPU, a GPU or a TPU."""

from __future__ import annotations

import os

import tensorflow as tf

from textrnn.config.training import RuntimeConfig
from textrnn.errors import ConfigError
from textrnn.host.cpu import multiplies_bfloat16
from textrnn.host.gpu import grow_gpu_memory, unseen_gpu_message
from textrnn.host.threads import count_cores
from textrnn.training.devices.strategy import Distribution

__all__ = [
    "choose_distribution",
    "choose_precision",
    "device_message",
    "dtype_policy",
    "make_deterministic",
]


def choose_distribution(config: RuntimeConfig, *, strategy: str) -> Distribution:
    """Returns the devices of a training, of the kind that the settings ask for.

    Args:
        config: The settings; `device` cpu hides the GPUs from TensorFlow.
        strategy: As in `Distribution.choose`.

    Raises:
        ConfigError: There is no such device, or TensorFlow has started another one.
    """
    device = config.device
    if device == "tpu":
        if strategy not in ("auto", "tpu"):
            raise ConfigError(
                f"`device` tpu needs `strategy` auto or tpu, got {strategy!r}; leave one out."
            )
        return Distribution.choose("tpu")
    if strategy == "tpu" and device != "auto":
        raise ConfigError(
            f"`strategy` tpu needs `device` auto or tpu, got {device!r}; leave one out."
        )
    if device == "cpu":
        _hide_gpus()
    else:
        grow_gpu_memory()
    if device == "gpu" and not tf.config.list_logical_devices("GPU"):
        reason = unseen_gpu_message() or "TensorFlow sees no GPU"
        raise ConfigError(f"`device` is gpu, but {reason}; or set it to auto or cpu.")
    return Distribution.choose(strategy)


def choose_precision(precision: str) -> str:
    """Returns the precision that `auto` stands for on the devices at hand; others as they are.

    NVIDIA's GPUs compute with bfloat16 from compute capability 8.0 on, and CPUs do so fast if they
    have Intel's matrix instructions.
    """
    if precision != "auto":
        return precision
    if tf.config.list_logical_devices("TPU"):
        return "bfloat16"
    if not tf.config.list_logical_devices("GPU"):
        return "bfloat16" if multiplies_bfloat16() else "float32"
    details = map(tf.config.experimental.get_device_details, tf.config.list_physical_devices("GPU"))
    capable = all(gpu.get("compute_capability", (0, 0)) >= (8, 0) for gpu in details)
    return "bfloat16" if capable else "float32"


def dtype_policy(precision: str) -> str:
    """Returns the name of Keras' dtype policy for a precision of the settings.

    >>> dtype_policy("bfloat16"), dtype_policy("float32")
    ('mixed_bfloat16', 'float32')
    """
    precision = choose_precision(precision)
    return "float32" if precision == "float32" else f"mixed_{precision}"


def make_deterministic() -> None:
    """Makes TensorFlow give the same bits each time on one device.

    It turns off TF32, which the libraries of a GPU may use or not. Under determinism TensorFlow
    moves scatters to the host; those of this package write each row once, so any order gives the
    same bits, and they stay on the device.
    """
    os.environ.setdefault("TF_DISABLE_SCATTER_OP_DETERMINISM", "1")
    tf.config.experimental.enable_op_determinism()
    tf.config.experimental.enable_tensor_float_32_execution(False)


def _hide_gpus() -> None:
    try:
        tf.config.set_visible_devices([], "GPU")
    except RuntimeError:  # TensorFlow has started its devices.
        if tf.config.list_logical_devices("GPU"):
            raise ConfigError(
                "`device` is cpu, but TensorFlow has started the GPU already; set the environment "
                "variable CUDA_VISIBLE_DEVICES=-1 before TensorFlow is used."
            ) from None


def device_message(distribution: Distribution) -> str:
    """Returns the name of the devices that a training runs on, and why it is not a GPU."""
    if distribution.static:
        return f"device: TPU, {distribution.replicas} replicas"
    gpus = tf.config.list_logical_devices("GPU")
    if not gpus:
        unseen = unseen_gpu_message()
        return f"device: CPU, {count_cores()} cores" + (f"; warning: {unseen}" if unseen else "")
    physical = tf.config.list_physical_devices("GPU")
    names = [
        tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name)
        for gpu in physical[: max(1, min(distribution.replicas, len(physical)))]
    ]
    return f"device: {', '.join(names)}"
