"""An export format: what it needs, how its files are made, and how they are verified."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textrnn.export.formats.requirements import Requirement
from textrnn.export.graphs.recurrence_forms import choose_form
from textrnn.export.manifest import Artefact, Check
from textrnn.export.options import ExportOptions
from textrnn.export.reference import Reference
from textrnn.export.verification.probing import ProbeAnswer, ProbeContext
from textrnn.export.workers.jobs import Job
from textrnn.inference.classifier import TrainedClassifier

__all__ = ["ExportContext", "ExportFormat"]


@dataclass(frozen=True, kw_only=True)
class ExportContext:
    """The packages that a format needs to make its files.

    Attributes:
        run: The run folder.
        folder: The export folder.
        scratch: A folder for intermediate files, deleted after the export.
        reference: The texts and the classifier's answers.
        options: The options of the export.
        progress: Called with a message before each long step.
    """

    run: Path
    folder: Path
    scratch: Path
    reference: Reference
    options: ExportOptions
    progress: Callable[[str], None] = lambda message: None

    @property
    def classifier(self) -> TrainedClassifier:
        """The trained classifier."""
        return self.reference.classifier

    @property
    def length(self) -> int:
        """The length T that every format has, in tokens."""
        return self.options.lengths[0]

    def recurrence_form(self, *, one_subgraph: bool = False) -> str | None:
        """Returns the form of the recurrences in a TFLite file, None if the model has none.

        Args:
            one_subgraph: Whether the file may hold one graph only. Then `auto` replaces the option
                `loop`.

        Raises:
            ConfigError: The option does not suit the model's cell.
        """
        stack = self.classifier.model.stack
        if stack is None:
            return None
        form = self.options.form
        if one_subgraph and form == "loop":
            form = "auto"
        return choose_form(stack.cells[0], form, one_subgraph=one_subgraph)


class ExportFormat(ABC):
    """One export format. A new format is a subclass in its own module.

    `textrnn.export.formats.FORMATS` lists the formats. Their files are verified by a worker, a
    module that is run in a fresh process; see `textrnn.export.workers.jobs`.

    Attributes:
        name: The format's name, as the command line and the manifest have it.
        requirement: The packages that make and verify the files.
        probe: The full name of the worker that runs a file on texts. It gets the job of `question`
            with the key `model`, the path of the file, and writes arrays to the path `output`.
    """

    name: ClassVar[str]
    requirement: ClassVar[Requirement]
    probe: ClassVar[str]

    def obstacle(self, classifier: TrainedClassifier) -> str | None:
        """Returns why the format cannot be made here of a classifier, None if it can be."""
        return self.unsuitable(classifier) or self.requirement.obstacle()

    def unsuitable(self, classifier: TrainedClassifier) -> str | None:
        """Returns why a classifier cannot have this format, None if it can."""
        return None

    @abstractmethod
    def make(self, context: ExportContext) -> list[Artefact]:
        """Writes the files.

        Returns:
            One artefact per file. A file that could not be made has a reason.
        """

    @abstractmethod
    def question(self, artefact: Artefact, context: ProbeContext) -> Job:
        """Returns the job of the probe for a file, whose key `output` names its arrays' file."""

    @abstractmethod
    def checks(self, artefact: Artefact, answer: ProbeAnswer) -> list[Check]:
        """Compares the answers of a file with those of the classifier."""
