"""The moving average of the weights, in place of the weights for a while."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import keras

__all__ = ["averaged_weights"]


@contextlib.contextmanager
def averaged_weights(
    optimizer: keras.optimizers.Optimizer, variables: Sequence[Any]
) -> Iterator[None]:
    """Gives variables their moving averages while the context is open.

    Args:
        optimizer: An optimizer that was built for the variables; without `use_ema` the variables
            stay as they are.
        variables: The variables, in the order of `build`.
    """
    if not optimizer.use_ema:
        yield
        return
    weights = [variable.numpy() for variable in variables]
    optimizer.finalize_variable_values(variables)
    try:
        yield
    finally:
        for variable, value in zip(variables, weights, strict=True):
            variable.assign(value)
