"""Which way a recurrence is computed: a kernel is chosen by the cell and the device."""

from __future__ import annotations

import functools
from typing import NamedTuple

import tensorflow as tf

from textrnn.config.choices import KERNELS
from textrnn.errors import ConfigError
from textrnn.layers.cells import LinearRNNCell, NonlinearRNNCell, RNNCell, States
from textrnn.layers.recurrence.batch_parts import has_accelerator
from textrnn.layers.recurrence.bptt import bptt
from textrnn.layers.recurrence.scan import scan
from textrnn.layers.recurrence.unroll import STATIC_STEPS, unroll, unroll_chunks

__all__ = ["KERNELS", "Kernel", "choose_kernel", "recur"]


class Kernel(NamedTuple):
    """A way to compute a recurrence, and why it was chosen."""

    name: str
    reason: str


def choose_kernel(cell: RNNCell, kernel: str = "auto") -> Kernel:
    """The kernel that `recur` runs for a cell.

    Args:
        cell: The cell.
        kernel: `unroll`: the written-out loop with TensorFlow's own gradient, for any cell and any
            derivative. `chunked`: some steps an iteration with the explicit gradient, for all cells
            of this package. `scan`: parallel in time, for cells that are linear in the state.
            `auto`: the fastest that the cell allows on this machine.

    Raises:
        ConfigError: There is no such kernel, or not for this cell.
    """
    if kernel not in KERNELS:
        raise ConfigError(f"`kernel` must be one of {', '.join(KERNELS)}, got {kernel!r}.")
    name = type(cell).__name__
    # A subclass with a step of its own is no longer what the faster kernels take it for.
    linear = isinstance(cell, LinearRNNCell) and type(cell).step is LinearRNNCell.step
    if kernel == "scan" and not linear:
        raise ConfigError(
            f"`kernel` scan needs a cell that is linear in its state, and {name} is not; "
            "choose chunked or auto."
        )
    explicit = linear or (
        isinstance(cell, NonlinearRNNCell) and type(cell).step is NonlinearRNNCell.step
    )
    if kernel == "chunked" and not explicit:
        raise ConfigError(
            f"`kernel` chunked needs a LinearRNNCell or NonlinearRNNCell that keeps its "
            f"step, and {name} is neither; choose unroll or auto."
        )
    if kernel != "auto":
        return Kernel(kernel, "asked for")
    if not explicit:
        return Kernel("unroll", f"{name} has a step of its own, so TensorFlow derives the gradient")
    if linear and has_accelerator():
        return Kernel("scan", "linear in the state, and there is an accelerator, which is wide")
    if linear:
        return Kernel("chunked", "on a CPU the chain is faster step by step than parallel in time")
    return Kernel("chunked", "explicit gradient: one product a step, one for all weights")


def recur(
    cell: RNNCell,
    gates: tf.Tensor,
    states: States,
    mask: tf.Tensor | None = None,
    *,
    reverse: bool = False,
    dropout_mask: tf.Tensor | None = None,
    kernel: str = "auto",
    chunk_steps: int | None = None,
    keep: bool = True,
) -> tuple[tf.Tensor, States]:
    """Applies a cell along time by the kernel that `choose_kernel` says.

    Args:
        cell: The cell, built.
        gates: `[T, B, G*H]`, of its `project`, at least one time step.
        states: The states before the first step, each `[B, H]`.
        mask: `[T, B]` of bool, True where there is input; None: everywhere.
        reverse: Whether time runs from T-1 to 0. Outputs stay at their inputs' places.
        dropout_mask: `[B, H]`, as in the cell's `step`, or None.
        kernel: As in `choose_kernel`.
        chunk_steps: Steps written out in one iteration of the loop; the kernel's own if None.
        keep: Whether a gradient is sure to be asked for; see `bptt`.

    Returns:
        The outputs `[T, B, H]` and the states after the last step, each `[B, H]`.
    """
    name = choose_kernel(cell, kernel).name
    if name == "unroll":
        # The plain loop's graph is what other programs convert: it is never cut.
        step = functools.partial(cell.step, dropout_mask=dropout_mask)
        if gates.shape[0] is not None and gates.shape[0] <= STATIC_STEPS:
            return unroll(step, gates, states, mask, reverse=reverse)
        steps = {} if chunk_steps is None else {"chunk_steps": chunk_steps}
        return unroll_chunks(step, gates, states, mask, reverse=reverse, **steps)
    if isinstance(cell, LinearRNNCell):
        run = functools.partial(scan, cell, parallel=name == "scan")
    else:
        run = functools.partial(bptt, cell, keep=keep)
    if chunk_steps is not None:
        run = functools.partial(run, chunk_steps=chunk_steps)
    return run(gates, states, mask, reverse=reverse, dropout_mask=dropout_mask)
