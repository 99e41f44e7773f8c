"""Names the models that rank labels; without TensorFlow, which those models need."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["LabelJudge"]


@dataclass(frozen=True)
class LabelJudge:
    """Names the models whose probabilities rank the labels.

    Attributes:
        folds: The number of folds of the linear model; 0: no linear model.
        run: The folder of a run; None: no run. With both, the mean of the probabilities counts.

    >>> bool(LabelJudge()), bool(LabelJudge(folds=5))
    (False, True)
    """

    folds: int = 0
    run: Path | None = None

    def __bool__(self) -> bool:
        return bool(self.folds or self.run)
