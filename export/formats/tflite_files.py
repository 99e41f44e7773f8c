"""The parts that the formats of TFLite files share: conversion, and questions to LiteRT."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from textrnn.export.formats.base import ExportContext
from textrnn.export.formats.requirements import Requirement
from textrnn.export.manifest import Artefact, Check
from textrnn.export.verification.checks import none_check, score_checks
from textrnn.export.verification.probing import ProbeAnswer, ProbeContext
from textrnn.export.workers.jobs import Job, run_jobs
from textrnn.inference.classifier import TrainedClassifier
from textrnn.layers.bidirectional import Bidirectional

__all__ = [
    "FOLDER",
    "LITERT",
    "LITERT_PROBE",
    "Conversion",
    "convert",
    "litert_checks",
    "litert_question",
]

FOLDER = "tflite"
"""The folder of the TFLite files in the export folder."""

LITERT = Requirement(("ai_edge_litert",), "textrnn[export]")
LITERT_PROBE = "textrnn.export.verification.probes.litert"

CALIBRATION_TEXTS = 100
EDGE_TEXTS = 11
"""The number of hard texts from the end of the reference that are added for calibration."""

_QUANTIZER = Requirement(("ai_edge_quantizer",), "textrnn[int4]")


@dataclass(frozen=True)
class Conversion:
    """One conversion to a TFLite file.

    Attributes:
        artefact: The file.
        source: The SavedModel.
        output: Where the converter writes the file.
    """

    artefact: Artefact
    source: Path
    output: Path


def convert(conversions: Sequence[Conversion], context: ExportContext) -> list[Artefact]:
    """Converts SavedModels to TFLite files.

    Returns:
        The artefacts, in the same order. A file that could not be made has a reason.
    """
    names = ", ".join(conversion.artefact.name for conversion in conversions)
    context.progress(f"converting: {names}")
    obstacles = [_obstacle(conversion.artefact, context.classifier) for conversion in conversions]
    possible, jobs = [], []
    for place, conversion in enumerate(conversions):
        if not obstacles[place]:
            conversion.output.parent.mkdir(exist_ok=True)
            possible.append(place)
            jobs.append(_job(conversion, context))
    answers = run_jobs("textrnn.export.workers.tflite_conversion", jobs)
    artefacts = [
        conversion.artefact.left_out(obstacle)
        for conversion, obstacle in zip(conversions, obstacles, strict=True)
    ]
    for place, answer in zip(possible, answers, strict=True):
        artefacts[place] = conversions[place].artefact.made_by(answer)
    return artefacts


def _obstacle(artefact: Artefact, classifier: TrainedClassifier) -> str:
    """Returns why a file cannot be made; empty if it can."""
    if artefact.precision == "int4":
        return _QUANTIZER.obstacle() or ""
    stack = classifier.model.stack
    both = stack is not None and any(isinstance(layer, Bidirectional) for layer in stack.rnns)
    if artefact.precision == "full_int8" and both:
        # Its operator REVERSE_SEQUENCE knows no 8-bit integers.
        return (
            "LiteRT cannot run models that read in both directions with all values in 8 bits; "
            "dynamic_int8 has the weights in 8 bits"
        )
    return ""


def _job(conversion: Conversion, context: ExportContext) -> Job:
    """Returns the job of the converter."""
    artefact = conversion.artefact
    job: Job = {
        "source": str(conversion.source),
        "output": str(conversion.output),
        "precision": artefact.precision,
    }
    if artefact.precision == "int4":
        job["source"] = str(context.folder / FOLDER / "model.tflite")
    if artefact.precision == "full_int8":
        ids, _ = context.reference.cut(artefact.length or 1)
        job["calibration"] = str(context.scratch / "calibration.npy")
        np.save(job["calibration"], np.stack([*ids[:CALIBRATION_TEXTS], *ids[-EDGE_TEXTS:]]))
    return job


def litert_question(artefact: Artefact, context: ProbeContext) -> Job:
    """Returns the probe's job for a file that classifies texts of T tokens."""
    length = artefact.length or 1
    texts = context.scratch / f"{length}.npy"
    np.save(texts, context.reference.cut(length)[0])
    return {"texts": str(texts), "output": str(context.scratch / f"{artefact.name}.npy")}


def litert_checks(artefact: Artefact, answer: ProbeAnswer) -> list[Check]:
    """Checks the scores and the operations of a file that classifies texts of T tokens."""
    expected = answer.reference.cut(artefact.length or 1)[1]
    scores = answer.arrays[: len(expected)]
    foreign = [name for name in answer.report["operations"] if name.startswith("custom:")]
    return [
        *score_checks(expected, scores, precision=artefact.precision, reference=answer.reference),
        none_check("operations that are not built in", foreign),
    ]
