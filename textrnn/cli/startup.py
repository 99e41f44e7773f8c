"""Starting TensorFlow without its start-up notes among our messages."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator

from textrnn.host.threads import set_thread_defaults

__all__ = ["start_tensorflow"]


def start_tensorflow() -> None:
    """Imports TensorFlow and finds its devices, quietly.

    Its C++ part writes to file descriptor 2 before any setting can stop it. Where the start
    fails, what it wrote is shown. A user who sets TF_CPP_MIN_LOG_LEVEL gets everything. Threads
    are as `textrnn.host.threads` says.
    """
    set_thread_defaults()
    if "TF_CPP_MIN_LOG_LEVEL" in os.environ:
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    with _hidden_stderr():
        import absl.logging
        import keras  # noqa: F401
        import tensorflow as tf

        absl.logging.set_verbosity(absl.logging.ERROR)
        tf.get_logger().setLevel("ERROR")  # It warns of graphs traced anew, as is meant here.
        if not {"TF_CONFIG", "TPU_NAME"} & set(os.environ):  # A cluster must come first.
            tf.config.list_logical_devices()


@contextlib.contextmanager
def _hidden_stderr() -> Iterator[None]:
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as hidden:
        os.dup2(hidden.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(kept, 2)
            hidden.seek(0)
            os.write(2, hidden.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
