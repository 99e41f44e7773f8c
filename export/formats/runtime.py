"""The light runtime: a folder that `textrnn_runtime` loads, with NumPy and SentencePiece alone.

The folder has the files of the run that the runtime reads, and their digests. A run of an earlier
version lacks the file with the weights: it is added to the run too, so that `textrnn predict`
answers the run without TensorFlow from then on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from textrnn.errors import ModelError
from textrnn.export.formats.base import ExportContext, ExportFormat
from textrnn.export.formats.requirements import Requirement
from textrnn.export.manifest import Artefact, Check
from textrnn.export.reference import LONGEST_WHOLE
from textrnn.export.verification.checks import drift_check, label_check, none_check
from textrnn.export.verification.probing import ProbeAnswer, ProbeContext
from textrnn.export.workers.jobs import Job
from textrnn.host.atomic import write_atomically
from textrnn.inference import run_folder
from textrnn.inference.run_files import replace_file, seal
from textrnn.inference.runtime_file import runtime_file
from textrnn.runtime.run_folder import DECISIONS, LABELS, NETWORK, TOKENIZER, has_network

__all__ = ["RuntimeFormat", "add_network", "write_files"]


def write_files(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Writes files and their digests into a folder, which the runtime then loads.

    Args:
        folder: The folder.
        files: The contents by name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        write_atomically(folder / name, content)
    seal(folder, list(files))


def add_network(run: Path, content: bytes) -> None:
    """Adds the file of the light runtime to a run that lacks it.

    Args:
        run: The run folder.
        content: The content of the file.

    Raises:
        ModelError: The file cannot be written.
    """
    if has_network(run):
        return
    try:
        replace_file(run, NETWORK, content)
    except OSError as error:
        raise ModelError(
            f"{run}: {NETWORK} was not written ({error.strerror}); make room, or copy the run to a "
            "folder that can be written to."
        ) from None


class RuntimeFormat(ExportFormat):
    """The folder `runtime`."""

    name = "runtime"
    requirement = Requirement((), "textrnn")
    probe = "textrnn.export.verification.probes.runtime"

    def make(self, context: ExportContext) -> list[Artefact]:
        """See `ExportFormat.make`.

        Raises:
            ModelError: The file cannot be added to the run.
        """
        context.progress("writing the files of the light runtime")
        classifier, artefact = context.classifier, Artefact("runtime", self.name, "runtime")
        content = runtime_file(classifier)
        if content is None:
            return [artefact.left_out("the light runtime knows the built-in cells only")]
        files: dict[str, str | bytes] = {
            NETWORK: content,
            TOKENIZER: classifier.tokenizer.to_bytes(),
            LABELS: "".join(f"{label}\n" for label in classifier.labels),
            DECISIONS: run_folder.decisions_text(classifier),
        }
        write_files(context.folder / artefact.path, files)
        add_network(context.run, content)
        return [artefact]

    def question(self, artefact: Artefact, context: ProbeContext) -> Job:
        """See `ExportFormat.question`."""
        texts = context.scratch / "texts.json"
        texts.write_text(json.dumps(context.reference.readable), encoding="utf-8")
        longest = context.reference.classifier.config.batches.max_length or LONGEST_WHOLE
        return {
            "texts": str(texts),
            "length": min(longest, LONGEST_WHOLE),
            "output": str(context.scratch / f"{artefact.name}.npy"),
        }

    def checks(self, artefact: Artefact, answer: ProbeAnswer) -> list[Check]:
        """See `ExportFormat.checks`."""
        expected, scores = answer.reference.scores, np.asarray(answer.arrays)
        space = answer.reference.label_space
        return [
            label_check(expected, answer.reference.answers(scores), label_space=space),
            drift_check(expected, scores),
            none_check("heavy packages", answer.report["heavy_packages"]),
        ]
