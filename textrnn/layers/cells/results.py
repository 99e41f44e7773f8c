"""Checks of what the methods of a cell return, so that a mistake is named where it was made."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from textrnn.errors import ConfigError

__all__ = ["check_combine", "check_step"]

States = tuple[tf.Tensor, ...]


def check_combine(cell: Any, result: Any, states: States) -> tuple[States, States]:
    """Returns the result of `combine` if it is new states and activations.

    Args:
        cell: The cell.
        result: What its `combine` returned.
        states: The old states, each `[B, H]`.

    Raises:
        ConfigError: The result is something else.
    """
    expected = f"{_listed(states)} as new states, and a tuple of activations"
    if not _is_tuple(result) or len(result) != 2 or not all(map(_is_tuple, result)):
        raise _unexpected(cell, "combine", result, f"two tuples: {expected}")
    if not _are_like(result[0], states):
        raise _unexpected(cell, "combine", result[0], f"{_listed(states)} as new states")
    new_states, activations = result
    return new_states, activations


def check_step(cell: Any, result: Any, states: States) -> tuple[tf.Tensor, States]:
    """Returns the result of `step` if it is an output and new states.

    Args:
        cell: The cell.
        result: What its `step` returned.
        states: The old states, each `[B, H]`.

    Raises:
        ConfigError: The result is something else.
    """
    expected = f"an output {_shown(states[0])} and a tuple of new states {_listed(states)}"
    if not _is_tuple(result) or len(result) != 2 or not _is_tuple(result[1]):
        raise _unexpected(cell, "step", result, expected)
    output, new_states = result
    if not _are_like((output,), states[:1]) or not _are_like(new_states, states):
        raise _unexpected(cell, "step", result, expected)
    return output, new_states


def _is_tuple(value: Any) -> bool:
    return isinstance(value, tuple | list)


def _are_like(values: Any, states: States) -> bool:
    """Returns whether there is one tensor of the dtype and, where known, the shape per state."""
    return len(values) == len(states) and all(
        hasattr(value, "shape")
        and hasattr(value, "dtype")
        and tf.as_dtype(value.dtype) == state.dtype
        and tf.TensorShape(value.shape).is_compatible_with(state.shape)
        for value, state in zip(values, states, strict=True)
    )


def _unexpected(cell: Any, method: str, result: Any, expected: str) -> ConfigError:
    return ConfigError(
        f"`{method}` of {type(cell).__name__} must return {expected}; got {_shown(result)}."
    )


def _shown(value: Any) -> str:
    """Returns a tensor as its dtype and shape, and anything else by its parts or its type."""
    if _is_tuple(value):
        return _listed(value)
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        sizes = tf.TensorShape(value.shape)
        shape = "?" if sizes.rank is None else ", ".join(str(size or "B") for size in sizes)
        return f"{tf.as_dtype(value.dtype).name} [{shape}]"
    return "None" if value is None else type(value).__name__


def _listed(values: Any) -> str:
    return f"({', '.join(map(_shown, values))}{',' if len(values) == 1 else ''})"
