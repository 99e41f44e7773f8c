"""The way in which a recurrence is computed, which does not change its result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from textrnn.errors import ConfigError

__all__ = ["Computation", "check_integer"]


@dataclass(frozen=True)
class Computation:
    """The settings that change time and memory, and leave the results as they are.

    Attributes:
        kernel: `unroll`, `chunked`, `scan`, `cudnn`, or `auto`, the fastest kernel that the cell
            allows; see `choose_kernel`.
        chunk_steps: The number of steps that one iteration of the loop writes out; None: the
            kernel's default.
        recompute: S, the number of steps whose activations are held at a time; the gradient
            computes them again, see `recur_in_segments`. 0: all activations are held.
        batch_parts: The number of parts of the batch that a CPU's cores compute side by side; None:
            as many as suit the machine.

    Raises:
        ConfigError: An integer is out of bounds.
    """

    kernel: str = "auto"
    chunk_steps: int | None = None
    recompute: int = 0
    batch_parts: int | None = None

    def __post_init__(self) -> None:
        if self.chunk_steps is not None:
            check_integer("chunk_steps", self.chunk_steps, least=1)
        check_integer("recompute", self.recompute, least=0)
        if self.batch_parts is not None:
            check_integer("batch_parts", self.batch_parts, least=1)


def check_integer(name: str, value: Any, *, least: int) -> None:
    """Checks a setting that must be an integer of at least 0, or of at least 1.

    Raises:
        ConfigError: The value is no integer, or is below `least`.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        kind = "a positive integer" if least else "an integer of at least 0"
        raise ConfigError(f"`{name}` must be {kind}, got {value!r}.")
