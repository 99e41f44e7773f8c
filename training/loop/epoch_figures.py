"""The figures of an epoch, while it is fitted and when it has ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textrnn.training.loop.checkpoints import TrainingState

__all__ = ["epoch_row", "running_figures"]


def running_figures(state: TrainingState, *, left: str) -> str:
    """Returns the figures of the current epoch as one line.

    Args:
        state: The state of the training.
        left: The result of `Schedule.left_message`.
    """
    return (
        f"loss {state.mean_loss:.3f} accuracy {state.accuracy:.3f}{left}, "
        f"{state.tokens_per_second:,.0f} tokens/s"
    )


def epoch_row(
    state: TrainingState, measured: Mapping[str, Any], *, progress: float
) -> dict[str, float]:
    """Returns the row of the history for an epoch that has just been fitted.

    Args:
        state: The state of the training, before the epoch counts as completed.
        measured: The figures of the validation, from `evaluate`.
        progress: The share of the training that is done, from `Schedule.progress`.
    """
    return {
        "epoch": state.epoch + 1,
        "train_loss": state.mean_loss,
        "train_accuracy": state.accuracy,
        "valid_loss": measured["log_loss"],
        "valid_accuracy": measured["accuracy"],
        "valid_macro_f1": measured["macro_f1"],
        "valid_score": measured.get("micro_f1", measured["accuracy"]),
        "seconds": state.seconds,
        "tokens_per_second": state.tokens_per_second,
        "progress": progress,
    }
