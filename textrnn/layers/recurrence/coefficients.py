"""The coefficients of a linear recurrence, checked and masked."""

from __future__ import annotations

import tensorflow as tf

from textrnn.errors import ConfigError
from textrnn.layers.recurrence.recurrence import Recurrence
from textrnn.layers.recurrence.time_order import select_rows

__all__ = ["coefficients", "where_input"]


def coefficients(recurrence: Recurrence, gates: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Computes the decay and the update `[K, B, H]` of some steps of a linear cell.

    Args:
        recurrence: The recurrence, of a `LinearRNNCell`.
        gates: Those of the steps, `[K, B, G*H]`.

    Raises:
        ConfigError: The cell's `coefficients` returns tensors of another rank.
    """
    cell = recurrence.cell
    decay, update = cell.coefficients(gates, dropout_mask=recurrence.dropout_mask)
    if not decay.shape.rank == update.shape.rank == gates.shape.rank:
        raise ConfigError(
            f"`coefficients` of {type(cell).__name__} must return a decay and an update "
            f"[..., H] for gates {gates.shape}, got {decay.shape} and {update.shape}; "
            "tf.broadcast_to expands them."
        )
    return decay, update


def where_input(mask: tf.Tensor | None, values: tf.Tensor, otherwise: float) -> tf.Tensor:
    """Returns the values `[K, B, H]` where the mask `[K, B]` is True, and a number elsewhere."""
    if mask is None:
        return values
    rows = tf.reshape(values, [-1, values.shape[-1]])
    filler = tf.fill(tf.shape(rows), tf.cast(otherwise, rows.dtype))
    chosen = select_rows(tf.reshape(mask, [-1]), rows, filler)
    return tf.ensure_shape(tf.reshape(chosen, tf.shape(values)), values.shape)
