"""What to tell of faults: TensorFlow's, which end a training, and those that it can do without."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import tensorflow as tf

from textrnn.errors import ModelError, TextRNNError
from textrnn.progress import Reporter
from textrnn.training.devices.strategy import LOST_WORKER, Distribution

__all__ = ["WorkerLost", "explained", "spared"]


class WorkerLost(TextRNNError):
    """Another worker of the cluster is gone, so that the training cannot go on."""


LESS_MEMORY = (
    "lower --batch-tokens, compute each batch in parts with --accumulate 2, keep less for the "
    "gradient with --recompute 64, or make the model smaller: --embedding-units, --units, "
    "--vocab-size."
)
"""What a classifier's training can do without memory."""


@contextlib.contextmanager
def explained(distribution: Distribution, *, less_memory: str = LESS_MEMORY) -> Iterator[None]:
    """Says of some faults of TensorFlow within the context what to do about them.

    Args:
        distribution: Where the training runs.
        less_memory: What to do where there is not enough memory.

    Raises:
        ModelError: There is not enough memory.
        WorkerLost: A worker of several does not answer.
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
            "--resume-or-start, to go on from the last checkpoint."
        ) from None


@contextlib.contextmanager
def spared(what: str, reporter: Reporter) -> Iterator[None]:
    """Turns any error within the context into one warning line, so that training goes on.

    It is for what only accompanies a training: pictures, tables, logs, cards.

    Args:
        what: What is lost by an error, such as "the picture was not drawn".
        reporter: Gets the warning.
    """
    try:
        yield
    except Exception as error:
        reason = getattr(error, "strerror", None) or _reason(error)
        reporter.message(f"warning: {what} ({reason})")


def _reason(error: BaseException) -> str:
    text = str(getattr(error, "message", None) or error) or type(error).__name__
    # TensorFlow puts the reason after where in the graph it happened.
    place = ("Graph execution error", "Detected at", "File ", "[[")
    lines = [line.strip() for line in text.splitlines()]
    told = [line for line in lines if line and not line.startswith(place)]
    return (told or lines)[0][:200]
