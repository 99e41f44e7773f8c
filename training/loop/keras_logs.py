"""The figures of an epoch, as Keras' callbacks read them."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["keras_logs"]


def keras_logs(row: Mapping[str, float]) -> dict[str, float]:
    """The figures of an epoch by the names that Keras' callbacks look for."""
    return {
        "loss": row["train_loss"],
        "accuracy": row["train_accuracy"],
        "val_loss": row["valid_loss"],
        "val_accuracy": row["valid_accuracy"],
    }
