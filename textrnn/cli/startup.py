"""The start of TensorFlow, without its start-up messages."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator

from textrnn.host.gpu import VISIBLE, grow_gpu_memory
from textrnn.host.threads import set_thread_defaults

__all__ = ["hidden_stderr", "start_tensorflow"]


def start_tensorflow(device: str = "auto") -> None:
    """Imports TensorFlow and finds its devices, without messages on stderr.

    If the import fails, the messages appear. If the user has set TF_CPP_MIN_LOG_LEVEL, all
    messages appear. `textrnn.host.threads` sets the number of threads.

    Args:
        device: The kind of device that will be used; cpu hides all GPUs.
    """
    if device == "cpu":
        os.environ[VISIBLE] = "-1"
    set_thread_defaults()
    if "TF_CPP_MIN_LOG_LEVEL" in os.environ:
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    # The C++ part writes to file descriptor 2 before it reads any setting.
    with hidden_stderr():
        import absl.logging
        import keras  # noqa: F401
        import tensorflow as tf

        absl.logging.set_verbosity(absl.logging.ERROR)
        tf.get_logger().setLevel("ERROR")  # It warns of retracing, which is intended here.
        if not {"TF_CONFIG", "TPU_NAME"} & set(os.environ):  # A cluster must be set up first.
            grow_gpu_memory()
            tf.config.list_logical_devices()


@contextlib.contextmanager
def hidden_stderr() -> Iterator[None]:
    """Hides what is written to file descriptor 2; an error makes it visible again."""
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as hidden:
        os.dup2(hidden.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(stderr, 2)
            hidden.seek(0)
            os.write(2, hidden.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
