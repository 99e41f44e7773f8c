"""The compilation of the update by XLA: whether it pays, and the wait for it before the training.

XLA compiles one program per shape of a batch. That takes seconds each, and the update is faster
afterwards; on a GPU whether this pays depends on the cell, the sizes and the length of the
training, so it is measured.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from textrnn.config.training import RuntimeConfig
from textrnn.layers.recurrence.devices import has_accelerator
from textrnn.progress import Reporter
from textrnn.training.batches.labelled_batches import LabelledBatches
from textrnn.training.devices.strategy import Distribution
from textrnn.training.update.step import Step

__all__ = [
    "Compilation",
    "UpdateCompiler",
    "UpdateTime",
    "compare",
    "time_update",
    "unchanged",
    "warm_up",
]

TIMED_UPDATES = 5
"""The number of updates whose median time counts."""


@dataclass(frozen=True)
class Compilation:
    """Whether XLA compiles the update, and the reason."""

    jit: bool
    reason: str


@dataclass(frozen=True)
class UpdateTime:
    """The time of an update.

    Attributes:
        first: The seconds of the first update of a shape, which includes its compilation.
        later: The seconds of each further update.
    """

    first: float
    later: float

    def total(self, *, shapes: int, updates: float) -> float:
        """The seconds of a training with a number of shapes and updates."""
        return shapes * self.first + max(0.0, updates - shapes) * self.later


@dataclass(frozen=True)
class UpdateCompiler:
    """Makes the update of a training, and lets XLA compile it where this pays.

    Attributes:
        make_step: Makes the update; its argument `jit` says whether XLA compiles it.
        data: The batches of the training.
        variables: All variables that an update changes.
        distribution: The devices that it runs on.
        fixed_shapes: Whether an update of a batch always has the same shapes.
    """

    make_step: Callable[..., Step]
    data: LabelledBatches
    variables: Sequence[Any]
    distribution: Distribution
    fixed_shapes: bool = True

    def choose(
        self, plain: Step, config: RuntimeConfig, *, updates: float, reporter: Reporter
    ) -> Step:
        """Returns the update, with every shape of a batch compiled if XLA compiles it.

        Args:
            plain: The update without XLA.
            config: The settings.
            updates: The number of updates of the training; infinite if only the time is limited.
            reporter: Receives the decision and the progress.
        """
        if not (self.distribution.static or config.jit == "on" or self._can_measure(config)):
            return plain
        shapes = self._one_batch_per_shape(plain.rows_multiple)
        choice = self._decide(config, plain, shapes=shapes, updates=updates)
        if not choice.jit and not self.distribution.static:
            return plain
        reporter.message(f"XLA compiles the update ({choice.reason})")
        step = self.make_step(jit=True) if choice.jit else plain
        warm_up(step, shapes, variables=self.variables, reporter=reporter)
        return step

    def _can_measure(self, config: RuntimeConfig) -> bool:
        """Returns whether the time of an update decides; it may differ from run to run."""
        one_gpu = has_accelerator() and self.distribution.replicas == 1
        possible = one_gpu and self.fixed_shapes
        return config.jit == "auto" and possible and not config.deterministic

    def _decide(
        self, config: RuntimeConfig, plain: Step, *, shapes: list[Any], updates: float
    ) -> Compilation:
        if self.distribution.static:
            return Compilation(False, "a TPU runs nothing else")
        if config.jit == "on":
            return Compilation(True, "asked for")
        batch = shapes[len(shapes) // 2]
        times = [self.time(step, batch) for step in (plain, self.make_step(jit=True))]
        return compare(*times, shapes=len(shapes), updates=updates)

    def time(self, step: Step, batch: Sequence[Any]) -> UpdateTime:
        """Measures an update of a batch; all variables keep their values.

        It is the update of number 0 each time, which has every term of the loss.
        """
        flags = [0.0] * step.control_flags
        return time_update(lambda _: step(batch, flags, seed=[0, 0]), variables=self.variables)

    def _one_batch_per_shape(self, multiple: int) -> list[Any]:
        shapes = {(len(batch.rows), batch.length): batch for batch in self.data.plan.batches()}
        return list(self.data.dataset(list(shapes.values()), multiple=multiple))


def compare(plain: UpdateTime, compiled: UpdateTime, *, shapes: int, updates: float) -> Compilation:
    """Decides by the time of a whole training whether XLA compiles the update.

    Args:
        plain: The time of an update without XLA.
        compiled: The time of an update with XLA.
        shapes: The number of shapes of a batch.
        updates: The number of updates of the training; infinite if only the time is limited.

    >>> compare(UpdateTime(1.0, 0.02), UpdateTime(9.0, 0.01), shapes=10, updates=5000).jit
    False
    >>> compare(UpdateTime(1.0, 0.02), UpdateTime(9.0, 0.01), shapes=10, updates=50000).jit
    True
    """
    faster = compiled.later < plain.later
    if math.isfinite(updates):
        # Without XLA one program serves all shapes.
        seconds = plain.total(shapes=1, updates=updates)
        faster = compiled.total(shapes=shapes, updates=updates) < seconds
    reason = (
        f"{1000 * plain.later:.1f} ms an update without it, {1000 * compiled.later:.1f} ms with "
        f"it, {compiled.first:.1f} s to compile each of {shapes} shapes"
    )
    return Compilation(faster, reason)


def time_update(update: Callable[[int], tf.Tensor], *, variables: Sequence[Any]) -> UpdateTime:
    """Measures an update; all variables have their old values afterwards.

    Args:
        update: Makes the update of a number, always of the same shape.
        variables: All variables that an update changes.
    """
    seconds = []
    with unchanged(variables):
        for number in range(1 + TIMED_UPDATES):
            start = time.perf_counter()
            np.asarray(update(number))  # Waits for the device.
            seconds.append(time.perf_counter() - start)
    return UpdateTime(seconds[0], float(np.median(seconds[1:])))


def warm_up(
    step: Step,
    batches: Sequence[Sequence[Any]],
    *,
    variables: Sequence[Any],
    reporter: Reporter,
) -> None:
    """Compiles the update for each shape of a batch; all variables keep their values.

    Args:
        step: The update.
        batches: One batch of each shape.
        variables: All variables that an update changes.
        reporter: Receives the progress and the time left.
    """
    flags = [0.0] * step.control_flags
    with unchanged(variables), reporter.step("compiling", total=len(batches)) as advance:
        for batch in batches:
            np.asarray(step(batch, flags, seed=[0, 0]))
            advance(1)


@contextlib.contextmanager
def unchanged(variables: Sequence[Any]) -> Iterator[None]:
    """Gives variables their values back at the end."""
    values = [tf.identity(variable.value) for variable in variables]
    try:
        yield
    finally:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
