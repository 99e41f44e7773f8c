"""The common part of all export formats."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from textrnn.errors import ConfigError
from textrnn.export.formats.base import ExportContext, ExportFormat
from textrnn.export.formats.requirements import Requirement
from textrnn.export.manifest import Artefact, Check
from textrnn.export.verification.probing import ProbeAnswer, ProbeContext
from textrnn.export.workers.jobs import Job
from textrnn.inference.classifier import TrainedClassifier


class Unsuitable(ExportFormat):
    """A format that no classifier can have."""

    name = "unsuitable"
    requirement = Requirement(("numpy",), "textrnn")
    probe = "none"

    def unsuitable(self, classifier: TrainedClassifier) -> str | None:
        return f"no format for {len(classifier.labels)} labels"

    def make(self, context: ExportContext) -> list[Artefact]:
        return []

    def question(self, artefact: Artefact, context: ProbeContext) -> Job:
        return {}

    def checks(self, artefact: Artefact, answer: ProbeAnswer) -> list[Check]:
        return []


def test_what_the_model_is_comes_before_a_missing_package(
    context: Callable[..., ExportContext],
) -> None:
    classifier = context().classifier
    assert Unsuitable().obstacle(classifier) == "no format for 2 labels"
    without_package = type("Missing", (Unsuitable,), {"requirement": Requirement(("no_p",), "p")})
    assert without_package().obstacle(classifier) == "no format for 2 labels"


@pytest.mark.parametrize(
    ("form", "one_subgraph", "chosen"),
    [
        ("auto", False, "parallel"),
        ("loop", False, "loop"),
        ("loop", True, "parallel"),
        ("unrolled", True, "unrolled"),
    ],
)
def test_a_file_of_one_subgraph_has_no_loop(
    context: Callable[..., ExportContext], form: str, one_subgraph: bool, chosen: str
) -> None:
    assert context(form=form).recurrence_form(one_subgraph=one_subgraph) == chosen


def test_a_form_that_the_cell_cannot_have_is_refused(
    context: Callable[..., ExportContext],
) -> None:
    with pytest.raises(ConfigError, match="fused needs an LSTMCell"):
        context(form="fused").recurrence_form()
