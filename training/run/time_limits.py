"""The time that each phase of a run with `time_budget` may take."""

from __future__ import annotations

import time
from dataclasses import dataclass

from textrnn.config.section import seconds
from textrnn.data import Corpus
from textrnn.training.loop.schedule import TimeBudget

__all__ = ["TimeLimits"]

SAVING_SECONDS = 10.0
"""Estimate of the time to trace the graph again and to write a finished run."""


@dataclass(frozen=True)
class TimeLimits:
    """The limits of a run.

    >>> TimeLimits(None, started=0.0).deadline(0.5) is None
    True

    Attributes:
        duration: The time for the whole run, such as 30m; None: no limit.
        started: The beginning of the run, by `time.monotonic`.
    """

    duration: str | None
    started: float

    def budget(
        self,
        corpus: Corpus,
        token_seconds: float,
        fitting_seconds: float = 0.0,
        *,
        earlier: float = 0.0,
    ) -> TimeBudget | None:
        """Returns the budget of the training, which reserves time for measuring and saving.

        Args:
            corpus: The data.
            token_seconds: The time that it took to encode the training and validation texts.
            fitting_seconds: An estimate of the time in which the n-grams are fitted.
            earlier: The time that went into another training, before an interruption.
        """
        if self.duration is None:
            return None
        started = self.started - earlier
        valid = len(corpus.validation)
        test = len(corpus.test) if corpus.test is not None else 0
        token_seconds *= (valid + test) / (len(corpus.train) + valid)
        whole = seconds(self.duration)
        after = token_seconds + fitting_seconds + SAVING_SECONDS
        left = whole - (time.monotonic() - started) - after

        def finish(validation: float) -> float:
            # Validation and test data are measured, in at most half of the remaining time.
            measuring = min(validation * (1.0 + test / valid), max(left, 0.0) / 2)
            return measuring + after

        return TimeBudget(whole, started, finish)

    def deadline(self, share: float, *, later: float = 0.0) -> float | None:
        """Returns the moment at which this share of the remaining time is used up.

        Args:
            share: Between 0 and 1.
            later: The seconds that are kept for what follows, beside the time to save the run.

        Returns:
            The moment by `time.monotonic`; None without a limit.
        """
        if self.duration is None:
            return None
        end = self.started + seconds(self.duration) - SAVING_SECONDS - later
        now = time.monotonic()
        return now + share * (end - now)
