"""The search for the size of a batch that a device reads fastest.

A small batch leaves most of a GPU idle, so an update of twice the texts takes hardly longer. But
an epoch has half the updates then, so it does not grow without end; McCandlish et al. 2018, "An
Empirical Model of Large-Batch Training".
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import tensorflow as tf

from textrnn.config.training import BATCH_TOKENS
from textrnn.layers.recurrence.devices import has_accelerator
from textrnn.messages.wording import counted
from textrnn.progress import Reporter
from textrnn.training.batches.labelled_batches import LabelledBatches
from textrnn.training.loop.trainer import Trainer

__all__ = ["BatchSize", "find_batch_tokens", "grow", "needs_search"]

LEAST_UPDATES = 200
"""The number of updates that an epoch keeps."""

LEAST_GAIN = 1.15
"""A doubled batch must be read this many times as fast."""


@dataclass(frozen=True)
class BatchSize:
    """The largest number of tokens in a batch, and why it is no larger."""

    tokens: int
    reason: str


def needs_search(trainer: Trainer) -> bool:
    """Returns whether the size of the batches is left to the device: to one GPU.

    The times, and so the size, may differ from run to run; `deterministic` excludes that.
    """
    config, distribution = trainer.config, trainer.distribution
    return (
        config.batches.batch_tokens is None
        and has_accelerator()
        and distribution.replicas == 1
        and not (distribution.static or config.runtime.deterministic)
    )


def find_batch_tokens(trainer: Trainer, reporter: Reporter) -> int:
    """Returns the largest number of tokens in a batch that the trainer's device reads fastest.

    Args:
        trainer: A trainer of the model; its weights stay as they are.
        reporter: Receives the result.
    """

    def speed(tokens: int) -> float | None:
        sizes = dataclasses.replace(trainer.config.batches, batch_tokens=tokens)
        return _speed(trainer, trainer.train.resized(sizes))

    with reporter.wait("looking for the size of the batches"):
        size = grow(speed)
    reporter.message(f"batches of at most {counted(size.tokens, 'token')}: {size.reason}")
    return size.tokens


def grow(speed: Callable[[int], float | None]) -> BatchSize:
    """Doubles the batch as long as it is read faster.

    Args:
        speed: Gives the tokens a second with a size of the batch; None: an epoch would have too
            few updates. A ResourceExhaustedError says that the batch does not fit.

    >>> grow({8192: 1.0, 16384: 1.9, 32768: 2.0}.get)
    BatchSize(tokens=16384, reason='twice as many are read only 1.05 times as fast')
    """
    tokens, fastest = BATCH_TOKENS, speed(BATCH_TOKENS)
    while True:
        try:
            faster = speed(2 * tokens)
        except tf.errors.ResourceExhaustedError:
            return BatchSize(tokens, "twice as many do not fit into the memory")
        if fastest is None or faster is None:
            return BatchSize(tokens, f"with more, an epoch has fewer than {LEAST_UPDATES} updates")
        if faster < LEAST_GAIN * fastest:
            gain = faster / fastest
            return BatchSize(tokens, f"twice as many are read only {gain:.2f} times as fast")
        tokens, fastest = 2 * tokens, faster


def _speed(trainer: Trainer, data: LabelledBatches) -> float | None:
    """Measures the tokens a second of a usual batch, after the largest batch, which must fit."""
    batches = sorted(data.plan.batches(), key=data.plan.count_tokens)
    if len(batches) < LEAST_UPDATES:
        return None
    widest = max(batches, key=lambda batch: len(batch.rows) * batch.length)
    usual = batches[len(batches) // 2]
    dataset = data.dataset([widest, usual], multiple=trainer.step.rows_multiple)
    _, seconds = (trainer.time_update(values).later for values in dataset)
    return data.plan.count_tokens(usual) / seconds
