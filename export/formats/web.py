"""A page that contains the model: the playground without a server, in one file, offline.

The page tokenises and computes in JavaScript (`runtime/playground`). It is verified in V8, the
engine of Chromium and Node.
"""

from __future__ import annotations

import json
from pathlib import Path

from textrnn.export.formats.base import ExportContext, ExportFormat
from textrnn.export.formats.requirements import Requirement
from textrnn.export.manifest import Artefact, Check
from textrnn.export.reference import LONGEST_PIECEWISE, Reference
from textrnn.export.verification.checks import drift_check, label_check, none_check
from textrnn.export.verification.probing import ProbeAnswer, ProbeContext
from textrnn.export.workers.jobs import Job
from textrnn.inference.classifier import TrainedClassifier
from textrnn.inference.runtime_file import runtime_file
from textrnn.runtime.playground.page import PageModel, offline_page

__all__ = ["WebFormat"]

MOST_TEXTS = 100
"""The number of real texts that the page is verified with; the hard texts come to them."""


class WebFormat(ExportFormat):
    """`web/index.html`."""

    name = "web"
    requirement = Requirement(("py_mini_racer",), "textrnn[web]")
    probe = "textrnn.export.verification.probes.web"

    def unsuitable(self, classifier: TrainedClassifier) -> str | None:
        """See `ExportFormat.unsuitable`."""
        if runtime_file(classifier) is None:
            return "the page computes the cells of textrnn only, not a cell of your own"
        return None

    def make(self, context: ExportContext) -> list[Artefact]:
        """See `ExportFormat.make`."""
        artefact = Artefact("web", self.name, "web/index.html")
        classifier = context.classifier
        network = runtime_file(classifier)
        if network is None:
            raise ValueError("expected a cell of textrnn.")
        model = PageModel(
            name=context.options.name,
            network=network,
            tokenizer=classifier.tokenizer.to_bytes(),
            labels=classifier.labels,
            rule=classifier.label_space.rule.to_dict(classifier.labels),
        )
        output = context.folder / artefact.path
        output.parent.mkdir(exist_ok=True)
        output.write_text(offline_page([model]), encoding="utf-8")
        return [artefact]

    def question(self, artefact: Artefact, context: ProbeContext) -> Job:
        """See `ExportFormat.question`."""
        texts = context.scratch / "web.json"
        _write_texts(texts, context.reference)
        return {
            "texts": str(texts),
            "length": LONGEST_PIECEWISE,
            "output": str(context.scratch / f"{artefact.name}.npy"),
        }

    def checks(self, artefact: Artefact, answer: ProbeAnswer) -> list[Check]:
        """See `ExportFormat.checks`."""
        reference = answer.reference
        places = _places(reference)
        expected = reference.cut(LONGEST_PIECEWISE)[1][places]
        return [
            label_check(
                expected, reference.answers(answer.arrays), label_space=reference.label_space
            ),
            drift_check(expected, answer.arrays),
            none_check("texts with other ids", answer.report["other_ids"]),
        ]


def _places(reference: Reference) -> list[int]:
    """Returns the places of the texts that the page reads."""
    real, count = reference.real_count, len(reference.texts)
    return [*range(min(real, MOST_TEXTS)), *range(real, count)]


def _write_texts(path: Path, reference: Reference) -> None:
    """Writes the texts with their ids."""
    places = _places(reference)
    content = {
        "texts": [reference.readable[place] for place in places],
        "ids": [reference.ids[place].tolist() for place in places],
    }
    path.write_text(json.dumps(content), encoding="utf-8")
