"""The figures of an epoch under the names of Keras' logs."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["keras_logs"]


def keras_logs(row: Mapping[str, float]) -> dict[str, float]:
    """Renames the figures of an epoch for Keras' callbacks."""
    return {
        "loss": row["train_loss"],
        "accuracy": row["train_accuracy"],
        "val_loss": row["valid_loss"],
        "val_accuracy": row["valid_accuracy"],
    }
