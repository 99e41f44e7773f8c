"""The run that a caller names by its folder, or passes as a loaded classifier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.inference import run_folder
from textrnn.inference.classifier import TrainedClassifier
from textrnn.inference.kept_texts import with_kept_texts
from textrnn.inference.run_files import read_labels, read_provenance

__all__ = ["OpenedRun", "RunRecord"]

UNSAVED = "the classifier"
"""The name of a classifier that was not loaded from a folder by the function that names it."""


@dataclass(frozen=True)
class RunRecord:
    """The facts about a run that are known without its weights.

    Attributes:
        name: The path of the run folder, or a description of a classifier without one.
        config: The settings of the run.
        labels: The label names.
        provenance: What the run learned from; see `textrnn.data.provenance`.
        folder: The run folder, if it is known.
    """

    name: str
    config: ClassifierRunConfig
    labels: tuple[str, ...]
    provenance: Mapping[str, Any]
    folder: Path | None = None

    @classmethod
    def of(cls, run: str | Path | TrainedClassifier) -> RunRecord:
        """Reads the record of a finished run, without its weights, or that of a classifier.

        Args:
            run: The folder or the classifier.

        Raises:
            ModelError: The settings in the folder cannot be read.
        """
        if isinstance(run, TrainedClassifier):
            config = with_kept_texts(run.config, run.folder)
            return cls(UNSAVED, config, run.labels, run.data)
        folder = Path(run)
        config = with_kept_texts(run_folder.load_config(folder / run_folder.CONFIG), folder)
        return cls(str(run), config, read_labels(folder), read_provenance(folder), folder)


@dataclass(frozen=True)
class OpenedRun:
    """A trained classifier, and the run folder that it was loaded from, if it is known.

    Attributes:
        classifier: The classifier.
        folder: The run folder; None for a classifier that the caller passed.
    """

    classifier: TrainedClassifier
    folder: Path | None = None

    @classmethod
    def of(cls, run: str | Path | TrainedClassifier) -> OpenedRun:
        """Loads a run folder, or takes a classifier as it is.

        Args:
            run: The folder or the classifier.

        Raises:
            ModelError: The folder is no finished run of a classifier.
        """
        if isinstance(run, TrainedClassifier):
            return cls(run)
        return cls(run_folder.load(run), Path(run))

    @property
    def name(self) -> str:
        """The path of the run folder, or a description of a classifier without one."""
        return UNSAVED if self.folder is None else str(self.folder)

    @property
    def record(self) -> RunRecord:
        """Returns the facts about the run that are known without its weights."""
        trained = self.classifier
        config = with_kept_texts(trained.config, self.folder or trained.folder)
        return RunRecord(self.name, config, trained.labels, trained.data, self.folder)
