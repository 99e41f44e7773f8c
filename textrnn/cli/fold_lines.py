"""The figures of folds as the lines that `textrnn train --folds` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textrnn.messages.wording import counted

if TYPE_CHECKING:
    from textrnn.training.search.folds import Folds

__all__ = ["fold_lines"]


def fold_lines(folds: Folds) -> list[str]:
    """Returns the figures of all folds, and where the answers are."""
    lines = [f"{len(folds.folds)} folds, {counted(folds.texts, 'text')} measured"]
    for name in ("accuracy", "macro_f1"):
        interval, (mean, deviation) = getattr(folds, name), folds.mean(name)
        lines.append(
            f"fold {name.replace('macro_f1', 'macro F1')} {interval.value:.2%} on all texts "
            f"(95 % interval {interval.low:.2%} to {interval.high:.2%}); "
            f"mean of the folds {mean:.2%} +- {deviation:.2%}"
        )
    lines.append(f"answers of the folds {folds.table}")
    return lines
