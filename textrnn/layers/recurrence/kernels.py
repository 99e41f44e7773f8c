"""The choice of a kernel, the way to compute a recurrence, by the cell and the device."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from textrnn.errors import ConfigError
from textrnn.layers.cells import LinearRNNCell, NonlinearRNNCell, RNNCell, States
from textrnn.layers.recurrence.bptt import bptt
from textrnn.layers.recurrence.cudnn_parameters import cudnn_form
from textrnn.layers.recurrence.devices import has_accelerator, has_cudnn, is_compiled
from textrnn.layers.recurrence.linear_chunks import linear_chunks
from textrnn.layers.recurrence.recurrence import Recurrence
from textrnn.layers.recurrence.scan import scan
from textrnn.layers.recurrence.unroll import STATIC_STEPS, unroll, unroll_chunks

__all__ = ["KERNELS", "Kernel", "choose_kernel", "recur"]

KERNELS = ("auto", "unroll", "chunked", "scan", "cudnn")
"""The names that `choose_kernel` knows."""


Run = Callable[..., tuple[tf.Tensor, States]]


class Kernel(NamedTuple):
    """A way to compute a recurrence, and the reason for the choice."""

    name: str
    reason: str


def choose_kernel(
    cell: RNNCell, kernel: str = "auto", *, projects: bool = True, dropout: bool = False
) -> Kernel:
    """Chooses the kernel that computes a recurrence.

    Args:
        cell: The cell.
        kernel: `unroll`: the written-out loop with TensorFlow's own gradient, for any cell and any
            derivative. `chunked`: a loop of a few steps an iteration with an explicit gradient, for
            every `NonlinearRNNCell` and `LinearRNNCell`. `scan`: parallel in time, for every
            `LinearRNNCell`. `cudnn`: NVIDIA's library, for `SimpleRNNCell`, `GRUCell` and
            `LSTMCell`; where it cannot run, `chunked` computes the same. `auto`: the fastest kernel
            that the cell allows on this machine.
        projects: Whether the kernel may compute the cell's projection too; `cudnn` has to.
        dropout: Whether there is recurrent dropout.

    Raises:
        ConfigError: There is no kernel of this name, or the cell does not allow it.
    """
    if kernel not in KERNELS:
        raise ConfigError(f"`kernel` must be one of {', '.join(KERNELS)}, got {kernel!r}.")
    name = type(cell).__name__
    # The faster kernels never call `step`, so a subclass that overrides it must not use them.
    linear = isinstance(cell, LinearRNNCell) and cell.output_is_state
    explicit = linear or (isinstance(cell, NonlinearRNNCell) and cell.output_is_state)
    in_cudnn = cudnn_form(cell) is not None
    _check_kernel(kernel, name, linear=linear, explicit=explicit, in_cudnn=in_cudnn)
    if kernel == "cudnn" or (kernel == "auto" and in_cudnn and has_cudnn()):
        obstacle = _cudnn_obstacle(projects=projects, dropout=dropout)
        if obstacle is None:
            return Kernel("cudnn", "asked for" if kernel == "cudnn" else "there is an NVIDIA GPU")
        return Kernel("chunked", f"cuDNN cannot run: {obstacle}")
    if kernel != "auto":
        return Kernel(kernel, "asked for")
    if not explicit:
        return Kernel("unroll", f"{name} has a step of its own, so TensorFlow derives the gradient")
    if linear and is_compiled():
        return Kernel("scan", "linear in the state, and XLA compiles whole tensors without a loop")
    if linear and has_accelerator():
        return Kernel("scan", "linear in the state, and there is an accelerator, which is wide")
    if linear:
        return Kernel("chunked", "on a CPU the chain is faster step by step than parallel in time")
    return Kernel("chunked", "explicit gradient: one product per step, one for all weights")


def _check_kernel(kernel: str, name: str, *, linear: bool, explicit: bool, in_cudnn: bool) -> None:
    """Raises an error if the cell, of a class of this name, can never be computed by the kernel."""
    if kernel == "scan" and not linear:
        raise ConfigError(
            f"`kernel` scan needs a cell that is linear in its state, and {name} is not; "
            "choose chunked or auto."
        )
    if kernel == "chunked" and not explicit:
        raise ConfigError(
            f"`kernel` chunked needs a LinearRNNCell or NonlinearRNNCell that keeps its "
            f"step, and {name} is neither; choose unroll or auto."
        )
    if kernel == "cudnn" and not in_cudnn:
        raise ConfigError(
            f"`kernel` cudnn computes SimpleRNNCell, GRUCell and LSTMCell, and {name} is none of "
            "them; choose auto."
        )


def _cudnn_obstacle(*, projects: bool, dropout: bool) -> str | None:
    """Returns the reason for which cuDNN cannot run here; None if it can."""
    if not has_cudnn():
        return "TensorFlow sees no NVIDIA GPU"
    if dropout:
        return "it has no recurrent dropout"
    if is_compiled():
        return "XLA compiles this program"
    return None if projects else "the gates are computed already"


def recur(
    recurrence: Recurrence,
    *,
    kernel: str = "auto",
    chunk_steps: int | None = None,
    save_activations: bool = True,
) -> tuple[tf.Tensor, States]:
    """Applies a cell along time by the kernel that `choose_kernel` chooses.

    Args:
        recurrence: The recurrence.
        kernel: As in `choose_kernel`.
        chunk_steps: The number of steps that one iteration of the loop writes out; None: the
            kernel's default. `scan` has no loop.
        save_activations: Whether a gradient will certainly be computed; see `bptt`.

    Returns:
        The outputs `[T, B, H]` and the states after the last step, each `[B, H]`.
    """
    dropout = recurrence.dropout_mask is not None
    name = choose_kernel(recurrence.cell, kernel, projects=False, dropout=dropout).name
    chunks: dict[str, Any] = {} if chunk_steps is None else {"chunk_steps": chunk_steps}
    if name == "unroll":
        steps = recurrence.gates.shape[0]
        static = steps is not None and steps <= STATIC_STEPS
        run: Run = unroll if static else functools.partial(unroll_chunks, **chunks)
        return run(
            recurrence.step,
            recurrence.gates,
            states=recurrence.states,
            mask=recurrence.mask,
            reverse=recurrence.reverse,
        )
    if name == "scan":
        return scan(recurrence)
    if isinstance(recurrence.cell, LinearRNNCell):
        return linear_chunks(recurrence, **chunks)
    return bptt(recurrence, save_activations=save_activations, **chunks)
