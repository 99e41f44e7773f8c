"""A page that contains the model: the playground without a server, in one file, offline.

The page tokenises and computes in JavaScript (`runtime/playground`). It is verified in V8, the
engine of Chromium and Node.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from textrnn.errors import ConfigError
from textrnn.export.formats.base import ExportContext, ExportFormat
from textrnn.export.formats.requirements import Requirement
from textrnn.export.manifest import Artefact, Check
from textrnn.export.reference import LONGEST_PIECEWISE, Reference
from textrnn.export.verification.checks import (
    LARGEST_DRIFT,
    drift_check,
    label_check,
    none_check,
)
from textrnn.export.verification.probing import ProbeAnswer, ProbeContext
from textrnn.export.workers.jobs import Job
from textrnn.inference import run_folder
from textrnn.inference.classifier import TrainedClassifier
from textrnn.inference.runtime_file import language_model_file, runtime_file
from textrnn.runtime.playground.page import PageLanguageModel, PageModel, offline_page

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
        """See `ExportFormat.make`.

        Raises:
            ModelError: The language model cannot be loaded.
            ConfigError: The language model has a cell of the user's.
        """
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
        page = offline_page([model])
        if context.options.language_model is not None:
            alone = len(page)
            model = replace(model, language_model=_page_model(context.options.language_model))
            page = offline_page([model])
            added = (len(page) - alone) / 1e6
            context.progress(f"the language model adds {added:.1f} MB to {artefact.path}")
        output = context.folder / artefact.path
        output.parent.mkdir(exist_ok=True)
        output.write_text(page, encoding="utf-8")
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
            *_likelihood_checks(answer.report["likelihood_drift"]),
        ]


def _page_model(run: str | Path) -> PageLanguageModel:
    """Returns the forward direction of a language model, for a page."""
    trained = run_folder.load_language_model(run)
    network = language_model_file(trained, directions=1)
    if network is None:
        raise ConfigError(
            f"{run}: expected a language model of a cell of textrnn, because the page computes no "
            "other; leave it out, or train another one."
        )
    return PageLanguageModel(network, trained.tokenizer.to_bytes())


def _likelihood_checks(drift: float | None) -> list[Check]:
    """Compares the likelihoods of the page with those of the light runtime, if it has them.

    Args:
        drift: The largest difference between two log-likelihoods, relative to one of them.
    """
    if drift is None:
        return []
    passed = drift <= LARGEST_DRIFT["float32"]
    wanted = f"at most {LARGEST_DRIFT['float32']:g} of them"
    return [Check("drift of log-likelihoods", drift, wanted, passed)]


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
