"""A check of each kernel against the definition, on the device at hand."""

from __future__ import annotations

import functools
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from textrnn.errors import ConfigError
from textrnn.layers.cells import CELLS, RNNCell, States
from textrnn.layers.recurrence.cudnn import CudnnDirection, cudnn
from textrnn.layers.recurrence.devices import compiled, has_cudnn
from textrnn.layers.recurrence.kernels import KERNELS, choose_kernel, recur
from textrnn.layers.recurrence.recurrence import Recurrence

__all__ = ["KernelCheck", "check_kernels"]

TIMED_RUNS = 5
"""The number of runs whose median time counts."""

_WAYS = ((False,), (True,), (False, True))
"""Whether time runs from T-1 to 0, in the directions that are computed together."""


class KernelCheck(NamedTuple):
    """The check of one kernel.

    Attributes:
        kernel: Its name, and "+xla" if XLA compiled it.
        cell: The name of the cell.
        difference: The largest difference of an output, state or gradient from that of the
            written-out loop, as a share of the largest number; of forward, backward and both
            directions.
        milliseconds: The time of both directions with their gradients.
    """

    kernel: str
    cell: str
    difference: float
    milliseconds: float


def check_kernels(
    *, batch: int = 16, steps: int = 48, units: int = 64, jit: bool = False
) -> Iterator[KernelCheck]:
    """Computes random sequences of different lengths by each kernel and by the written-out loop.

    Args:
        batch: B; one row is empty.
        steps: T.
        units: E and H.
        jit: Whether to check each kernel compiled by XLA too.

    Yields:
        One check per kernel and cell, of the kernels that run on this machine.
    """
    for name, kind in CELLS.items():
        case = _Case.draw(kind(units), batch=batch, steps=steps)
        expected = [case.graph("unroll", ways)() for ways in _WAYS]
        for kernel in KERNELS[2:]:
            if not _runs(case.cell, kernel):
                continue
            for compile_it in (False, True) if jit and kernel != "cudnn" else (False,):
                runs = [case.graph(kernel, ways, jit=compile_it) for ways in _WAYS]
                differences = map(_difference, (run() for run in runs), expected)
                label = f"{kernel}+xla" if compile_it else kernel
                yield KernelCheck(label, name, max(differences), _milliseconds(runs[-1]))


def _runs(cell: RNNCell, kernel: str) -> bool:
    try:
        choose_kernel(cell, kernel)
    except ConfigError:
        return False
    return kernel != "cudnn" or has_cudnn()


class _Case(NamedTuple):
    """A cell, and what it reads.

    Attributes:
        cell: Built.
        inputs: `[T, B, E]`.
        states: Each `[B, H]`.
        mask: `[T, B]`, right-padded.
    """

    cell: Any
    inputs: tf.Tensor
    states: States
    mask: tf.Tensor

    @classmethod
    def draw(cls, cell: RNNCell, *, batch: int, steps: int) -> _Case:
        rng = np.random.default_rng(0)
        units = cell.units
        cell.build((None, units))
        cell.set_weights(
            [rng.normal(scale=0.3, size=weight.shape) for weight in cell.get_weights()]
        )
        lengths = rng.integers(1, steps + 1, batch)
        lengths[0], lengths[-1] = steps, 0
        return cls(
            cell,
            tf.constant(rng.normal(size=(steps, batch, units)), tf.float32),
            tuple(
                tf.constant(rng.normal(size=(batch, size)), tf.float32) for size in cell.state_size
            ),
            tf.transpose(tf.sequence_mask(lengths, steps)),
        )

    def graph(
        self, kernel: str, ways: tuple[bool, ...], *, jit: bool = False
    ) -> Callable[[], list[tf.Tensor]]:
        """Returns a graph of the outputs, the states and the gradients by one kernel."""
        compute = functools.partial(self._compute, kernel, ways, jit=jit)
        function: Callable[[], list[tf.Tensor]] = tf.function(
            compute, jit_compile=jit or None, autograph=False
        )
        return function

    def _compute(self, kernel: str, ways: tuple[bool, ...], *, jit: bool) -> list[tf.Tensor]:
        weights = [variable.value for variable in self.cell.trainable_variables]
        with compiled(jit), tf.GradientTape() as tape:
            tape.watch([self.inputs, *self.states])
            results = tf.nest.flatten(self._recur(kernel, ways))
            total = tf.add_n([tf.reduce_sum(tf.sin(3.0 * result + 0.5)) for result in results])
        return [*results, *tape.gradient(total, [self.inputs, *self.states, *weights])]

    def _recur(self, kernel: str, ways: tuple[bool, ...]) -> list[tuple[tf.Tensor, States]]:
        if kernel == "cudnn":
            direction = CudnnDirection(self.cell, self.states)
            names = {"backward" if reverse else "forward": direction for reverse in ways}
            return cudnn(self.inputs, mask=self.mask, **names)
        gates = self.cell.project(self.inputs)
        return [
            recur(Recurrence(self.cell, gates, self.states, self.mask, reverse), kernel=kernel)
            for reverse in ways
        ]


def _difference(actual: list[tf.Tensor], expected: list[tf.Tensor]) -> float:
    shares = []
    for a, e in zip(actual, expected, strict=True):
        scale = max(float(tf.reduce_max(tf.abs(e))), 1e-6)
        shares.append(float(tf.reduce_max(tf.abs(a - e))) / scale)
    return max(shares)


def _milliseconds(run: Callable[[], list[tf.Tensor]]) -> float:
    times = []
    for _ in range(TIMED_RUNS):
        start = time.perf_counter()
        np.asarray(run()[0])
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)
