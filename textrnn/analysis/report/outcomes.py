"""Runs one analysis after another; an analysis that does not work for a run gives a reason."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from textrnn.errors import TextRNNError
from textrnn.models.classifier import TextClassifier
from textrnn.progress import Advance, Reporter

__all__ = ["Analyses", "Outcome"]

T = TypeVar("T")


@dataclass(frozen=True)
class Outcome(Generic[T]):
    """The outcome of one analysis.

    Attributes:
        value: The result; None if the analysis does not work for this model or these texts.
        reason: Why there is no result.
        seconds: The time that the analysis took.
    """

    value: T | None
    reason: str
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, ready for JSON."""
        value: Any = self.value
        plain = None if value is None else value.to_dict()
        return {"value": plain, "reason": self.reason, "seconds": self.seconds}


class Analyses:
    """Runs the analyses of a model.

    Args:
        trained: The trained model.
        untrained: A model of the same shape before its training.
        reporter: Receives the progress.
    """

    def __init__(
        self, trained: TextClassifier, untrained: TextClassifier, *, reporter: Reporter
    ) -> None:
        self._trained, self._untrained = trained, untrained
        self._reporter = reporter

    def outcome(self, name: str, analyse: Callable[[Advance], T], *, total: int) -> Outcome[T]:
        """Runs one analysis.

        Args:
            name: The name of the analysis in the progress.
            analyse: Returns the result; it receives the callable that counts finished parts.
            total: How many parts the analysis reports.
        """
        begin, value, reason = time.monotonic(), None, ""
        try:
            with self._reporter.step(name, total=total) as advance:
                value = analyse(advance)
        except TextRNNError as error:
            reason = str(error)
        return Outcome(value, reason, time.monotonic() - begin)

    def after_and_before(
        self, name: str, analyse: Callable[[TextClassifier, Advance], T], *, total: int
    ) -> tuple[Outcome[T], Outcome[T]]:
        """Runs an analysis of the trained model, then of the untrained model.

        Args:
            name: The name of the analysis in the progress.
            analyse: Returns the result for a model.
            total: How many parts the analysis reports.

        Returns:
            The outcome for the trained model, and that for the untrained model.
        """
        return (
            self.outcome(name, lambda advance: analyse(self._trained, advance), total=total),
            self.outcome(
                f"{name} before training",
                lambda advance: analyse(self._untrained, advance),
                total=total,
            ),
        )
