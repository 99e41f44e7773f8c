"""The choice of the epoch whose weights a training keeps."""

from __future__ import annotations

import math

from textrnn.config.training import ClassifierScheduleConfig
from textrnn.training.loop.checkpoints import TrainingState

__all__ = ["is_best"]


def is_best(
    state: TrainingState, config: ClassifierScheduleConfig, *, has_budget: bool, texts: int
) -> bool:
    """Returns whether the epoch that has just ended is the best one so far.

    It is, if its score on the validation texts is the highest; at equal scores the loss decides.
    With a time budget the learning rate falls to the end of the training, after a few epochs. Then
    a later epoch also counts as better if its score is lower by chance only, by at most one
    standard error.

    >>> rows = [{"valid_score": score, "valid_loss": 0.2} for score in (0.91, 0.9)]
    >>> state = TrainingState(history=rows, best_quality=[0.91, -0.2])
    >>> config = ClassifierScheduleConfig()
    >>> [is_best(state, config, has_budget=True, texts=texts) for texts in (500, 2500)]
    [True, False]
    >>> is_best(state, config, has_budget=False, texts=500)
    False

    Args:
        state: The state of the training, with the row of the epoch.
        config: The settings of the schedule; with `final_weights` "last" each epoch is the best.
        has_budget: Whether the training has a time budget.
        texts: The number of validation texts.
    """
    row = state.history[-1]
    if config.final_weights == "last" or not state.best_quality:
        return True
    if not has_budget:
        return [row["valid_score"], -row["valid_loss"]] > state.best_quality
    highest = max(other["valid_score"] for other in state.history)
    return row["valid_score"] >= highest - math.sqrt(highest * (1 - highest) / texts)
