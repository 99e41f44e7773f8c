"""Error messages for faults of TensorFlow, and warnings for faults that training survives."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import tensorflow as tf

from textrnn.errors import ModelError, TextRNNError
from textrnn.progress import Reporter
from textrnn.training.devices.strategy import LOST_WORKER, TRY_AGAIN, Distribution

__all__ = ["WorkerLost", "explain_faults", "warn_on_failure"]


class WorkerLost(TextRNNError):
    """Another worker of the cluster was lost, so the training cannot continue."""

    exit_code = TRY_AGAIN


LESS_MEMORY = (
    "lower `batch_tokens`, compute each batch in parts with `accumulate` 2, store fewer "
    "activations with `recompute` 64, or make the model smaller by `embedding_units`, `units` and "
    "`vocab_size`."
)
"""The advice for a classifier whose training runs out of memory."""


@contextlib.contextmanager
def explain_faults(distribution: Distribution, *, less_memory: str = LESS_MEMORY) -> Iterator[None]:
    """Turns some errors of TensorFlow within the context into errors that say what to do.

    Args:
        distribution: The devices of the training.
        less_memory: The advice if there is not enough memory.

    Raises:
        ModelError: There is not enough memory.
        WorkerLost: Another worker of several does not answer.
    """
    try:
        yield
    except (tf.errors.ResourceExhaustedError, MemoryError) as error:
        raise ModelError(f"out of memory ({_reason(error)}); {less_memory}") from None
    except LOST_WORKER as error:
        if not distribution.several_machines:
            raise
        raise WorkerLost(
            f"another worker was lost ({_reason(error)}); start all workers again, with "
            "`resume_or_start`, to continue from the last checkpoint."
        ) from None


@contextlib.contextmanager
def warn_on_failure(loss: str, reporter: Reporter) -> Iterator[None]:
    """Turns any error within the context into a warning of one line, so that training continues.

    It is meant for pictures, tables, logs and model cards, without which a run is still complete.

    Args:
        loss: The consequence of an error, such as "the picture was not drawn".
        reporter: Receives the warning.
    """
    try:
        yield
    except Exception as error:
        reason = getattr(error, "strerror", None) or _reason(error)
        reporter.message(f"warning: {loss} ({reason})")


def _reason(error: BaseException) -> str:
    """Returns the first line of the message that does not name a place in the graph."""
    text = str(getattr(error, "message", None) or error) or type(error).__name__
    # TensorFlow names the place in the graph before the reason.
    place = ("Graph execution error", "Detected at", "File ", "[[")
    lines = [line.strip() for line in text.splitlines()]
    reasons = [line for line in lines if line and not line.startswith(place)]
    return (reasons or lines)[0][:200]
