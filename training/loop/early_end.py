"""The conditions under which a training ends before its last epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textrnn.config.training import ClassifierScheduleConfig
from textrnn.training.loop.checkpoints import TrainingState

__all__ = ["LAST_SHARE", "behind_message", "end_message", "ends_early"]

LAST_SHARE = 0.98
"""The share of the training after which it counts as complete.

The time that is left would hardly be enough for another validation.
"""


def ends_early(state: TrainingState, config: ClassifierScheduleConfig, *, has_budget: bool) -> bool:
    """Returns whether a training should end after its last epoch.

    Args:
        state: The state of the training, after an epoch.
        config: The settings of the schedule.
        has_budget: Whether the training has a time budget. `patience` then does not count, because
            the training would end before the learning rate has fallen.
    """
    patience = 0 if has_budget else config.patience
    waited = state.epoch - state.best_epoch
    return bool(patience and waited >= patience) or bool(behind_message(state.history, config))


def end_message(
    state: TrainingState,
    config: ClassifierScheduleConfig,
    *,
    epochs: int | None,
    epoch_updates: int,
) -> str:
    """Returns why a training has ended early, or why it keeps older weights; else an empty string.

    Args:
        state: The state of the training, which has ended.
        config: The settings of the schedule.
        epochs: The number of epochs that it should have had; None: as many as the time allows.
        epoch_updates: The number of updates of a whole epoch.
    """
    if behind := behind_message(state.history, config):
        return behind
    if state.epoch == 1 and state.update < epoch_updates:
        share = f"{state.update / epoch_updates:.0%}".replace("%", " %")
        return f"ended after {share} of the first epoch; the other training texts were not read"
    if state.best_epoch == state.epoch:
        return ""
    early = "stopped early: " if state.epoch < (epochs or 0) else ""
    return f"{early}no epoch after {state.best_epoch} was better, so its weights are kept"


def behind_message(history: Sequence[Mapping[str, float]], config: ClassifierScheduleConfig) -> str:
    """Returns why `stop_below` ends a training after its last epoch, or an empty string.

    >>> config = ClassifierScheduleConfig(stop_below="0.3:0.7,0.6:0.8")
    >>> history = [{"valid_score": 0.72, "progress": 0.5}, {"valid_score": 0.7, "progress": 0.75}]
    >>> behind_message(history[:1], config)
    ''
    >>> behind_message(history, config)
    'stopped early: after 75 % of the training, the best validation score of 0.7200 is below 0.8000'

    Args:
        history: One row per completed epoch, from `epoch_row`.
        config: The settings of the schedule.
    """
    # A training that an earlier version began has no progress in its rows.
    progress = history[-1].get("progress", 0.0) if history else 0.0
    passed = [least for share, least in config.stop_scores if share <= progress < LAST_SHARE]
    best = max((row["valid_score"] for row in history), default=0.0)
    if not passed or best >= passed[-1]:
        return ""
    return (
        f"stopped early: after {progress:.0%} of the training, the best validation score of "
        f"{best:.4f} is below {passed[-1]:.4f}".replace("%", " %")
    )
