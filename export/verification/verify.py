"""Verification: each file is run in its own runtime and compared with the classifier."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from textrnn.export.manifest import Artefact, Check
from textrnn.export.reference import Reference
from textrnn.export.verification.probing import ProbeAnswer, ProbeContext, Probed
from textrnn.export.workers.jobs import run_jobs

__all__ = ["Verifier"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Verifier:
    """Verifies the files of an export folder.

    Attributes:
        formats: The formats by their names.
        folder: The export folder.
        reference: The texts and the classifier's answers.
        progress: Called with a message before each runtime is started.
    """

    formats: Mapping[str, Probed]
    folder: Path
    reference: Reference
    progress: Callable[[str], None] = lambda message: None

    def verify(self, artefacts: Sequence[Artefact]) -> list[Artefact]:
        """Runs each file on the texts of the reference.

        Files of one runtime share a process, which is started anew after a crash.

        Returns:
            The artefacts with their checks, in the same order. Artefacts that were left out are
            returned as they are.
        """
        verified = list(artefacts)
        places_by_probe: dict[str, list[int]] = {}
        for place, artefact in enumerate(artefacts):
            if artefact.reason is None:
                probe = self.formats[artefact.format].probe
                places_by_probe.setdefault(probe, []).append(place)
        for probe, places in places_by_probe.items():
            with_checks = self._run_probe(probe, [artefacts[place] for place in places])
            for place, artefact in zip(places, with_checks, strict=True):
                verified[place] = artefact
        return verified

    def _run_probe(self, probe: str, artefacts: Sequence[Artefact]) -> list[Artefact]:
        """Returns files of one runtime with their checks."""
        names = ", ".join(artefact.name for artefact in artefacts)
        self.progress(f"verifying in {probe.rpartition('.')[2]}: {names}")
        with tempfile.TemporaryDirectory() as scratch:
            context = ProbeContext(self.reference, Path(scratch))
            jobs = [
                {
                    "model": str(self.folder / artefact.path),
                    **self.formats[artefact.format].question(artefact, context),
                }
                for artefact in artefacts
            ]
            answers = run_jobs(probe, jobs)
            return [
                self._with_checks(artefact, report, output=job["output"])
                for artefact, job, report in zip(artefacts, jobs, answers, strict=True)
            ]

    def _with_checks(self, artefact: Artefact, report: dict[str, Any], *, output: str) -> Artefact:
        """Returns a file with the checks of its probe's answer."""
        if "error" in report:
            failed = Check("runs", report["error"], "an answer", passed=False)
            return dataclasses.replace(artefact, checks=(failed,))
        arrays = np.load(output, allow_pickle=False)
        answer = ProbeAnswer(self.reference, report, arrays)
        checks = tuple(self.formats[artefact.format].checks(artefact, answer))
        return dataclasses.replace(artefact, checks=checks, latency_ms=report["latency_ms"])
