"""The real texts that exported files are verified with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from textrnn.evaluation.labelled_data import LabelledData
from textrnn.evaluation.opened_run import RunRecord
from textrnn.progress import Reporter

__all__ = ["VerificationSample"]


@dataclass(frozen=True)
class VerificationSample:
    """Texts with the places of their labels.

    >>> VerificationSample(["good film"], [1]).targets
    [1]

    Attributes:
        texts: N texts.
        targets: The place of each text's label among the run's labels; -1 for a text without a
            label, or with several.
    """

    texts: Sequence[str]
    targets: Sequence[int]

    @classmethod
    def of_run(
        cls,
        run: str | Path,
        *,
        count: int = 500,
        reporter: Reporter | None = None,
        **settings: Any,
    ) -> VerificationSample:
        """Draws validation texts, by the seed of the run.

        Args:
            run: The run folder.
            count: The largest number of texts.
            reporter: Receives the notices about the data.
            **settings: Settings of the data that replace those of the run.

        Raises:
            DataError: The data cannot be read.
        """
        record = RunRecord.of(run)
        split = LabelledData(split="validation", settings=settings).read(record, reporter=reporter)
        order = np.random.default_rng(record.config.runtime.seed).permutation(len(split))
        part = split.take([int(row) for row in order[:count]])
        places = {label: place for place, label in enumerate(record.labels)}
        single = not record.config.task.multi_label
        targets = [places[labels[0]] if single else -1 for labels in part.labels]
        return cls(list(part.texts), targets)
