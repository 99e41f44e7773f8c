"""The device that computes a recurrence, as far as the choice of a kernel depends on it."""

from __future__ import annotations

import contextlib
import contextvars
import functools
from collections.abc import Iterator

import tensorflow as tf

__all__ = ["compiled", "has_accelerator", "has_cudnn", "is_compiled", "on_host"]

_COMPILED = contextvars.ContextVar("compiled", default=False)


@functools.cache
def has_accelerator() -> bool:
    """Returns whether TensorFlow sees a GPU or a TPU."""
    return bool(tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("TPU"))


@functools.cache
def has_cudnn() -> bool:
    """Returns whether TensorFlow sees a GPU and computes on it with NVIDIA's libraries."""
    gpus = tf.config.list_logical_devices("GPU")
    return bool(gpus and tf.sysconfig.get_build_info()["is_cuda_build"])


def on_host() -> contextlib.AbstractContextManager[None]:
    """Returns a context whose operations run on the host, for small integers that steer a GPU.

    TensorFlow keeps int32, such as the ids of a batch, in host memory. What is computed of them on
    the GPU has to be waited for where the host needs it. XLA places its operations itself.

    >>> with on_host():
    ...     mask = tf.constant([[3, 0]]) != 0
    """
    if has_accelerator() and not is_compiled():
        scope: contextlib.AbstractContextManager[None] = tf.device("/CPU:0")
        return scope
    return contextlib.nullcontext()


@contextlib.contextmanager
def compiled(value: bool = True) -> Iterator[None]:
    """Says that XLA will compile the program that is traced inside this context.

    XLA cannot compile a call of cuDNN.

    >>> with compiled():
    ...     is_compiled()
    True
    """
    token = _COMPILED.set(value)
    try:
        yield
    finally:
        _COMPILED.reset(token)


def is_compiled() -> bool:
    """Returns whether XLA will compile the program that is traced now, as `compiled` says."""
    return _COMPILED.get()
