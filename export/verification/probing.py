"""The question to a probe of an exported file, and its answer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from textrnn.export.manifest import Artefact, Check
from textrnn.export.reference import Reference
from textrnn.export.workers.jobs import Job

__all__ = ["ProbeAnswer", "ProbeContext", "Probed"]


@dataclass(frozen=True)
class ProbeContext:
    """The values from which the question to a probe is made.

    Attributes:
        reference: The texts and the classifier's answers.
        scratch: A folder for the files that the probe reads and writes.
    """

    reference: Reference
    scratch: Path


@dataclass(frozen=True)
class ProbeAnswer:
    """The answer of a probe, together with the reference.

    Attributes:
        reference: The texts and the classifier's answers.
        report: The plain values that the worker answered.
        arrays: The content of its output file: an array, or for `.npz` arrays by their names.
    """

    reference: Reference
    report: dict[str, Any]
    arrays: Any


class Probed(Protocol):
    """The part of an export format that verification uses; see `ExportFormat`."""

    @property
    def probe(self) -> str:
        """The full name of the worker."""

    def question(self, artefact: Artefact, context: ProbeContext) -> Job:
        """Returns the worker's job."""

    def checks(self, artefact: Artefact, answer: ProbeAnswer) -> list[Check]:
        """Returns what the answer shows."""
